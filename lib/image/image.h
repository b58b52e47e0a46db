#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lcm {

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
