#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "lib/image/image.h"

namespace lcm {

/// Owned pixels as numbers, one plane a channel (C, H, W): what networks read.
struct FloatImage {
    int width = 0, height = 0, channels = 3;
    std::vector<float> values;

    std::size_t plane_size() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height); }
    std::span<const float> plane(int channel) const {
        return std::span(values).subspan(plane_size() * static_cast<std::size_t>(channel), plane_size());
    }
};

/// Mean and standard deviation of each channel of pictures in 0..1.
struct PixelStatistics {
    std::array<float, 3> mean, deviation;
};

/// Of the pictures that CLIP was trained on.
inline constexpr PixelStatistics clip_statistics{{0.48145466F, 0.4578275F, 0.40821073F}, {0.26862954F, 0.26130258F, 0.27577711F}};
/// Of ImageNet.
inline constexpr PixelStatistics imagenet_statistics{{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};

/// Bytes as numbers in 0..1.
FloatImage to_unit(const Image& image);

/// Bytes as numbers in -1..1, as a VAE reads them.
FloatImage to_signed(const Image& image);

/// (x - mean) / deviation of a picture of three channels in 0..1.
FloatImage normalize(FloatImage image, const PixelStatistics& statistics);

/// Numbers in 0..1 as bytes, clamped, rounded half to even.
Image to_bytes(const FloatImage& image);

}  // namespace lcm
