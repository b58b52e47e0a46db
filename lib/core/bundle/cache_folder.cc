#include "lib/core/bundle/cache_folder.h"

#include <fmt/format.h>

#include <cstdlib>

namespace lcm {

std::string cache_folder(std::string_view kind) {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    if (cache && cache[0] == '/') return fmt::format("{}/lcm/{}", cache, kind);
    const char* home = std::getenv("HOME");
    return home && home[0] == '/' ? fmt::format("{}/.cache/lcm/{}", home, kind) : "";
}

}  // namespace lcm
