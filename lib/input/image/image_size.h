#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lcm {

/// Width and height in pixels.
struct ImageSize {
    int width = 0, height = 0;

    bool operator==(const ImageSize&) const = default;
};

/// "512x768"; nothing for any other text, and for sides above a million.
std::optional<ImageSize> parse_image_size(std::string_view text);

/// The same the other way round.
std::string format_image_size(const ImageSize& size);

}  // namespace lcm
