#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/image/image.h"

namespace lcm {

/// Names of the maps that are drawn from a picture: "canny", "lineart", "scribble".
std::vector<std::string> drawn_map_names();

/// The map `name` of a picture of three channels, as large as it; 1 channel. @throws Error(usage) for a name that is not drawn
Image draw_map(std::string_view name, const Image& picture);

}  // namespace lcm
