#pragma once

#include <string>
#include <vector>

#include "lib/base/error.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// `--info` and `--json` of lcm-render: tell what pictures and record streams hold instead of rendering.
struct InfoOptions {
    bool wanted = false, json = false;

    void declare(CLI::App& app);
    /// @throws Error(usage)
    void check() const;
    /// Prints a report of each file to stdout; no file or `-` is stdin.
    ExitCode print(const std::vector<std::string>& files) const;
};

}  // namespace lcm::cli
