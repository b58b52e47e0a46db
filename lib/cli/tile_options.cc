#include "lib/cli/tile_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/resource_limits.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"

namespace lcm::cli {

void TileOptions::declare(CLI::App& app) {
    app.add_option("--tile", tile,
                   "Decode in tiles of N pixels, blended where they overlap, in bounded memory; auto: pictures above 2560x1024 pixels in "
                   "tiles of 512; off: always as a whole")
        ->capture_default_str()
        ->type_name("auto|off|N")
        ->group(group::generation);
}

Tiling TileOptions::tiling() const {
    constexpr std::uint64_t smallest = 64;
    if (tile == "auto") return {};
    if (tile == "off") return {.side = 0, .above = 0};
    const auto side = parse_u64(tile);
    if (side && *side >= smallest && *side <= static_cast<std::uint64_t>(max_side))
        return {.side = static_cast<std::int64_t>(*side), .above = 0};
    throw Error(ExitCode::usage, "--tile", fmt::format("\"{}\" is no side of a tile", escape_control(tile)),
                fmt::format("give auto, off, or {} to {} pixels", smallest, max_side));
}

}  // namespace lcm::cli
