#include "lib/image/float_image.h"

#include <algorithm>
#include <cmath>

namespace lcm {

FloatImage to_unit(const Image& image) {
    FloatImage result{image.width, image.height, image.channels, {}};
    const auto channels = static_cast<std::size_t>(image.channels);
    result.values.reserve(image.pixels.size());
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t i = c; i < image.pixels.size(); i += channels)
            result.values.push_back(static_cast<float>(image.pixels[i]) / 255.0F);
    return result;
}

FloatImage to_signed(const Image& image) {
    FloatImage result = to_unit(image);
    for (float& value : result.values) value = 2.0F * value - 1.0F;
    return result;
}

FloatImage normalize(FloatImage image, const PixelStatistics& statistics) {
    const std::size_t plane = image.plane_size();
    for (std::size_t i = 0; i < image.values.size(); ++i)
        image.values[i] = (image.values[i] - statistics.mean[i / plane]) / statistics.deviation[i / plane];
    return image;
}

Image to_bytes(const FloatImage& image) {
    Image result{image.width, image.height, image.channels, std::vector<std::uint8_t>(image.values.size())};
    const std::size_t plane = image.plane_size(), channels = static_cast<std::size_t>(image.channels);
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t i = 0; i < plane; ++i) {
            const float value = std::clamp(image.values[c * plane + i], 0.0F, 1.0F);
            result.pixels[i * channels + c] = static_cast<std::uint8_t>(std::nearbyint(value * 255.0F));
        }
    return result;
}

}  // namespace lcm
