#pragma once

#include <string>

#include "lib/image/image.h"

namespace lcm {

/// The picture as lines of half blocks in 24-bit colour for a terminal: each character shows two pixels, one above the other.
/// @param columns  characters a line; the picture keeps its proportions and is never enlarged
std::string half_blocks(const Image& image, int columns);

}  // namespace lcm
