#include "lib/input/image/image_size.h"

#include <fmt/format.h>

#include "lib/base/number.h"

namespace lcm {

std::optional<ImageSize> parse_image_size(std::string_view text) {
    constexpr std::uint64_t longest_side = 1'000'000;
    const std::size_t cross = text.find('x');
    if (cross == text.npos) return std::nullopt;
    const auto width = parse_u64(text.substr(0, cross)), height = parse_u64(text.substr(cross + 1));
    if (!width || !height || *width > longest_side || *height > longest_side) return std::nullopt;
    return ImageSize{static_cast<int>(*width), static_cast<int>(*height)};
}

std::string format_image_size(const ImageSize& size) { return fmt::format("{}x{}", size.width, size.height); }

}  // namespace lcm
