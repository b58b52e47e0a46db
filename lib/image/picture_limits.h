#pragma once

#include <cstdint>
#include <string>

#include "lib/base/resource_limits.h"

namespace lcm {

/// The most text a PNG may hold in one chunk, compressed or not, and the most text chunks.
inline constexpr std::size_t max_text_bytes = std::size_t{1} << 20;
inline constexpr unsigned max_text_chunks = 1000;

/// Refuses a picture file above the limits. @throws Error(refused), Error(data) for an empty picture
void check_picture_size(std::int64_t width, std::int64_t height, const std::string& name);

}  // namespace lcm
