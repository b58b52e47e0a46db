#include "lib/image/line_art.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/image/float_image.h"

namespace lcm {
namespace {

constexpr double line_blur = 6, fine_blur = 0.5, coarse_blur = 5;  // standard deviations in pixels
constexpr float faint = 8, least_median = 16, median_brightness = 127, stroke_difference = 16;

/// Weights of a Gaussian as wide as OpenCV makes it for floats: four standard deviations each way.
std::vector<float> gaussian(double sigma) {
    const int reach = static_cast<int>(std::lround(sigma * 8 + 1)) / 2;
    std::vector<double> weights;
    double sum = 0;
    for (int x = -reach; x <= reach; ++x) sum += weights.emplace_back(std::exp(-0.5 * x * x / (sigma * sigma)));
    std::vector<float> normed;
    for (const double weight : weights) normed.push_back(static_cast<float>(weight / sum));
    return normed;
}

/// The index mirrored into 0..size-1, the ends not doubled.
int mirrored(int index, int size) {
    if (size == 1) return 0;
    const int period = 2 * (size - 1), rest = ((index % period) + period) % period;
    return std::min(rest, period - rest);
}

/// One pass along lines of `size` samples that lie `step` apart.
void blur_line(const float* in, float* out, int size, std::size_t step, const std::vector<float>& weights) {
    const int reach = static_cast<int>(weights.size() / 2);
    for (int i = 0; i < size; ++i) {
        float sum = 0;
        for (int k = -reach; k <= reach; ++k)
            sum += in[static_cast<std::size_t>(mirrored(i + k, size)) * step] * weights[static_cast<std::size_t>(k + reach)];
        out[static_cast<std::size_t>(i) * step] = sum;
    }
}

FloatImage blur(const FloatImage& image, double sigma) {
    const std::vector<float> weights = gaussian(sigma);
    FloatImage across = image, result = image;
    const auto width = static_cast<std::size_t>(image.width), plane = image.plane_size();
    for (std::size_t begin = 0; begin < image.values.size(); begin += width)
        blur_line(image.values.data() + begin, across.values.data() + begin, image.width, 1, weights);
    for (std::size_t begin = 0; begin < image.values.size(); begin += plane)
        for (std::size_t x = 0; x < width; ++x)
            blur_line(across.values.data() + begin + x, result.values.data() + begin + x, image.height, width, weights);
    return result;
}

/// The bytes as they are, 0..255.
FloatImage to_levels(const Image& image) {
    FloatImage result = to_unit(image);
    for (float& value : result.values) value *= 255;
    return result;
}

/// The least difference a - b over the channels, clamped to 0..255, one number a pixel.
std::vector<float> least_difference(const FloatImage& a, const FloatImage& b) {
    std::vector<float> least(a.plane_size(), 255.0F);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        float& value = least[i % least.size()];
        value = std::max(std::min(value, a.values[i] - b.values[i]), 0.0F);
    }
    return least;
}

/// The median of the values above `floor`, the mean of the two in the middle where they are even in number; 0 without any.
float median_above(const std::vector<float>& values, float floor) {
    std::vector<float> some;
    std::ranges::copy_if(values, std::back_inserter(some), [floor](float value) { return value > floor; });
    if (some.empty()) return 0;
    std::ranges::sort(some);
    const std::size_t middle = some.size() / 2;
    return some.size() % 2 == 1 ? some[middle] : (some[middle - 1] + some[middle]) / 2;
}

template <typename Level>
Image map_of(const Image& image, const std::vector<float>& values, const Level& level) {
    Image result{image.width, image.height, 1, {}};
    for (const float value : values) result.pixels.push_back(static_cast<std::uint8_t>(level(value)));
    return result;
}

}  // namespace

Image line_art(const Image& image) {
    const FloatImage levels = to_levels(image);
    const std::vector<float> darkness = least_difference(blur(levels, line_blur), levels);
    const float unit = std::max(median_above(darkness, faint), least_median) / median_brightness;
    return map_of(image, darkness, [unit](float value) { return std::min(value / unit, 255.0F); });
}

Image scribble(const Image& image) {
    const FloatImage levels = to_levels(image);
    const std::vector<float> difference = least_difference(blur(levels, coarse_blur), blur(levels, fine_blur));
    return map_of(image, difference, [](float value) { return value > stroke_difference ? 255 : 0; });
}

}  // namespace lcm
