#include "lib/image/resample_float.h"

#include <utility>

#include "lib/image/resample_taps.h"

namespace lcm {
namespace {

using FloatTaps = std::vector<Taps<float>>;

constexpr float bicubic_a = -0.75F;           // torch's, without antialias
constexpr float bicubic_antialias_a = -0.5F;  // Pillow's

/// Calls `tap(i, scale)` for each output.
template <typename Tap>
FloatTaps each_output(int size, int out, const Tap& tap) {
    const float scale = static_cast<float>(size) / static_cast<float>(out);
    FloatTaps taps;
    for (int i = 0; i < out; ++i) taps.push_back(tap(i, scale));
    return taps;
}

FloatTaps nearest_taps(int size, int out) {
    return each_output(size, out, [size](int i, float scale) {
        return Taps<float>{std::min(static_cast<int>(static_cast<float>(i) * scale), size - 1), {1.0F}};
    });
}

FloatTaps bilinear_taps(int size, int out) {
    return each_output(size, out, [size](int i, float scale) {
        const float at = std::max(scale * (static_cast<float>(i) + 0.5F) - 0.5F, 0.0F);
        const int first = std::min(static_cast<int>(at), size - 1);
        const float share = std::clamp(at - static_cast<float>(first), 0.0F, 1.0F);
        return first + 1 < size ? Taps<float>{first, {1.0F - share, share}} : Taps<float>{first, {1.0F}};
    });
}

/// Four inputs around each output; those beyond an end are the input at the end.
FloatTaps bicubic_taps(int size, int out) {
    return each_output(size, out, [size](int i, float scale) {
        const float at = scale * (static_cast<float>(i) + 0.5F) - 0.5F;
        const int middle = static_cast<int>(std::floor(at)), begin = std::max(middle - 1, 0), end = std::min(middle + 3, size);
        Taps<float> taps{begin, std::vector<float>(static_cast<std::size_t>(end - begin), 0.0F)};
        for (int x = middle - 1; x < middle + 3; ++x)
            taps.weights[static_cast<std::size_t>(std::clamp(x, begin, end - 1) - begin)] +=
                cubic_window(static_cast<float>(x) - at, bicubic_a);
        return taps;
    });
}

FloatTaps taps_of(int size, int out, Interpolation mode) {
    const Axis<float> axis{size, out};
    switch (mode) {
        case Interpolation::area:  // no product of two passes: `area_mean`
        case Interpolation::nearest:
            return nearest_taps(size, out);
        case Interpolation::bilinear:
            return bilinear_taps(size, out);
        case Interpolation::bicubic:
            return bicubic_taps(size, out);
        case Interpolation::bilinear_antialias:
            return window_taps(axis, 1.0F, triangle_window<float>);
        case Interpolation::bicubic_antialias:
            return window_taps(axis, 2.0F, [](float x) { return cubic_window(x, bicubic_antialias_a); });
    }
    return {};
}

float weigh(const float* samples, std::size_t step, const std::vector<float>& weights) {
    float sum = 0;
    for (const float weight : weights) {
        sum += *samples * weight;
        samples += step;
    }
    return sum;
}

/// The inputs that output `i` covers, also in part: [first,last).
std::pair<int, int> covered(int i, int size, int out) {
    const auto first = std::int64_t{i} * size / out, last = (std::int64_t{i + 1} * size + out - 1) / out;
    return {static_cast<int>(first), static_cast<int>(last)};
}

/// Means, summed and divided in torch's order: halves of a byte round as they do there.
FloatImage area_mean(const FloatImage& image, int width, int height) {
    FloatImage result{width, height, image.channels, {}};
    for (int c = 0; c < image.channels; ++c)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                const auto [top, bottom] = covered(y, image.height, height);
                const auto [left, right] = covered(x, image.width, width);
                float sum = 0;
                for (int v = top; v < bottom; ++v)
                    for (int u = left; u < right; ++u)
                        sum += image.plane(
                            c)[static_cast<std::size_t>(v) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(u)];
                result.values.push_back(sum / static_cast<float>(bottom - top) / static_cast<float>(right - left));
            }
    return result;
}

}  // namespace

FloatImage resize(const FloatImage& image, int width, int height, Interpolation mode) {
    if (mode == Interpolation::area) return area_mean(image, width, height);
    const FloatTaps across = taps_of(image.width, width, mode), down = taps_of(image.height, height, mode);
    const auto row = static_cast<std::size_t>(image.width);
    std::vector<float> narrow;  // rows of the new width
    for (std::size_t begin = 0; begin < image.values.size(); begin += row)
        for (const Taps<float>& one : across)
            narrow.push_back(weigh(image.values.data() + begin + static_cast<std::size_t>(one.first), 1, one.weights));
    FloatImage result{width, height, image.channels, {}};
    const auto new_row = static_cast<std::size_t>(width), plane = new_row * static_cast<std::size_t>(image.height);
    for (std::size_t begin = 0; begin < narrow.size(); begin += plane)
        for (const Taps<float>& one : down)
            for (std::size_t x = 0; x < new_row; ++x)
                result.values.push_back(
                    weigh(narrow.data() + begin + static_cast<std::size_t>(one.first) * new_row + x, new_row, one.weights));
    return result;
}

}  // namespace lcm
