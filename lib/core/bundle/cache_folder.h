#pragma once

#include <string>
#include <string_view>

namespace lcm {

/// The folder `kind` of the user's cache (`$XDG_CACHE_HOME/lcm`, else `~/.cache/lcm`), which may not be there yet; empty where the
/// environment gives none. A relative XDG folder does not count (XDG base directories).
std::string cache_folder(std::string_view kind);

}  // namespace lcm
