#include "lib/input/image/control_map.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "lib/base/error.h"
#include "lib/image/canny.h"
#include "lib/image/line_art.h"

namespace lcm {
namespace {

struct Drawn {
    std::string_view name;
    Image (*draw)(const Image& picture);
};

constexpr std::array<Drawn, 3> maps{{
    {"canny", [](const Image& picture) { return canny(picture); }},
    {"lineart", line_art},
    {"scribble", scribble},
}};

}  // namespace

std::vector<std::string> drawn_map_names() {
    std::vector<std::string> names;
    for (const Drawn& one : maps) names.emplace_back(one.name);
    return names;
}

Image draw_map(std::string_view name, const Image& picture) {
    for (const Drawn& one : maps)
        if (one.name == name) return one.draw(picture);
    throw Error(ExitCode::usage, std::string(name), "is no map that is drawn from a picture",
                fmt::format("take one of {}", fmt::join(drawn_map_names(), ", ")));
}

}  // namespace lcm
