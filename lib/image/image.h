#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lcm {

/// The largest picture read or written: pixels a side, and pixels in all.
inline constexpr std::int64_t max_side = 16384;
inline constexpr std::int64_t max_pixels = 64'000'000;

/// Owned 8-bit pixels, rows from the top, channels interleaved (1 grey, 3 RGB, 4 RGBA), sRGB-coded.
struct Image {
    int width = 0, height = 0, channels = 3;
    std::vector<std::uint8_t> pixels;

    std::span<const std::uint8_t> row(int y) const {
        const auto bytes = static_cast<std::size_t>(width) * channels;
        return std::span(pixels).subspan(bytes * y, bytes);
    }
};

}  // namespace lcm
