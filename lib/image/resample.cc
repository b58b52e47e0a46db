#include "lib/image/resample.h"

#include <numbers>

#include "lib/image/resample_taps.h"

namespace lcm {
namespace {

constexpr int weight_bits = 32 - 8 - 2;  // a sum of bytes by weights, with a sign and the overshoot of a filter, fits 32 bits
constexpr double bicubic_a = -0.5;

double sinc(double x) { return x == 0 ? 1 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }

double box_window(double x) { return x > -0.5 && x <= 0.5 ? 1 : 0; }

double hamming_window(double x) {
    x = std::abs(x);
    return x >= 1 ? 0 : sinc(x) * (0.54 + 0.46 * std::cos(x * std::numbers::pi));
}

double lanczos_window(double x) { return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

std::vector<Taps<double>> taps_of(const Axis<double>& axis, Filter filter) {
    switch (filter) {
        case Filter::nearest:  // not a window: `nearest`
        case Filter::box:
            return window_taps(axis, 0.5, box_window);
        case Filter::bilinear:
            return window_taps(axis, 1.0, triangle_window<double>);
        case Filter::hamming:
            return window_taps(axis, 1.0, hamming_window);
        case Filter::bicubic:
            return window_taps(axis, 2.0, [](double x) { return cubic_window(x, bicubic_a); });
        case Filter::lanczos:
            return window_taps(axis, 3.0, lanczos_window);
    }
    return {};
}

std::vector<Taps<int>> fixed_point(const std::vector<Taps<double>>& taps) {
    std::vector<Taps<int>> fixed;
    for (const Taps<double>& one : taps) {
        Taps<int>& whole = fixed.emplace_back(one.first);
        for (const double weight : one.weights)
            whole.weights.push_back(static_cast<int>(weight * (1 << weight_bits) + (weight < 0 ? -0.5 : 0.5)));
    }
    return fixed;
}

std::uint8_t clip(int sum) { return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255)); }

/// The weighted sum of samples that lie `step` bytes apart.
std::uint8_t weigh(const std::uint8_t* samples, std::size_t step, const std::vector<int>& weights) {
    int sum = 1 << (weight_bits - 1);
    for (const int weight : weights) {
        sum += *samples * weight;
        samples += step;
    }
    return clip(sum);
}

Image resize_across(const Image& image, const std::vector<Taps<int>>& taps) {
    Image result{static_cast<int>(taps.size()), image.height, image.channels, {}};
    const auto channels = static_cast<std::size_t>(image.channels);
    result.pixels.reserve(taps.size() * channels * static_cast<std::size_t>(image.height));
    for (int y = 0; y < image.height; ++y)
        for (const Taps<int>& one : taps)
            for (std::size_t c = 0; c < channels; ++c)
                result.pixels.push_back(
                    weigh(image.row(y).data() + static_cast<std::size_t>(one.first) * channels + c, channels, one.weights));
    return result;
}

Image resize_down(const Image& image, const std::vector<Taps<int>>& taps) {
    Image result{image.width, static_cast<int>(taps.size()), image.channels, {}};
    const std::size_t row = image.row(0).size();
    result.pixels.reserve(taps.size() * row);
    for (const Taps<int>& one : taps)
        for (std::size_t x = 0; x < row; ++x) result.pixels.push_back(weigh(image.row(one.first).data() + x, row, one.weights));
    return result;
}

/// For each output the input under its middle. The steps add up as Pillow's do, rounding included.
std::vector<std::size_t> nearest_samples(const Axis<double>& axis) {
    const double step = (axis.end - axis.begin) / axis.out;
    std::vector<std::size_t> samples;
    double at = axis.begin + step * 0.5;
    for (int i = 0; i < axis.out; ++i, at += step)
        samples.push_back(static_cast<std::size_t>(std::min(static_cast<int>(at), axis.size - 1)));
    return samples;
}

Image nearest(const Image& image, const Axis<double>& across, const Axis<double>& down) {
    Image result{across.out, down.out, image.channels, {}};
    const std::vector<std::size_t> columns = nearest_samples(across);
    const auto channels = static_cast<std::size_t>(image.channels);
    for (const std::size_t y : nearest_samples(down))
        for (const std::size_t x : columns) {
            const auto pixel = image.row(static_cast<int>(y)).subspan(x * channels, channels);
            result.pixels.insert(result.pixels.end(), pixel.begin(), pixel.end());
        }
    return result;
}

bool whole(const Axis<double>& axis) { return axis.out == axis.size && axis.begin == 0 && axis.end == axis.size; }

/// Which pass comes first shows in the bytes between: since Pillow 13 the one down, where it takes away more than twice as much.
bool down_first(const Axis<double>& across, const Axis<double>& down) {
    const std::int64_t fewer_columns = across.size - across.out, fewer_rows = down.size - down.out;
    return fewer_rows > 0 && fewer_rows > 2 * fewer_columns;
}

}  // namespace

Image resize(const Image& image, int width, int height, Filter filter) {
    return resize(image, width, height, filter, {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)});
}

Image resize(const Image& image, int width, int height, Filter filter, const PixelBox& box) {
    const Axis<double> across{image.width, width, box.left, box.right}, down{image.height, height, box.top, box.bottom};
    if (whole(across) && whole(down)) return image;
    if (filter == Filter::nearest) return nearest(image, across, down);
    const auto narrow = [&](const Image& x) { return whole(across) ? x : resize_across(x, fixed_point(taps_of(across, filter))); };
    const auto flatten = [&](const Image& x) { return whole(down) ? x : resize_down(x, fixed_point(taps_of(down, filter))); };
    return down_first(across, down) ? narrow(flatten(image)) : flatten(narrow(image));
}

}  // namespace lcm
