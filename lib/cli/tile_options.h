#pragma once

#include <string>

#include "lib/render/renderer.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// `--tile auto|off|N`: whether pictures are decoded as a whole.
struct TileOptions {
    std::string tile = "auto";

    void declare(CLI::App& app);
    /// @throws Error(usage) for anything else than auto, off, or a number of pixels from 64 on
    Tiling tiling() const;
};

}  // namespace lcm::cli
