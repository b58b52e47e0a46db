#pragma once

#include <string>

namespace CLI {
class App;
}

namespace lcm::cli {

/// Flags of every command: how much it says, how it shows progress, how many threads it takes.
struct CommonOptions {
    bool quiet = false;
    int verbose = 0;
    std::string progress = "auto";
    int threads = 0;  ///< 0: all cores this process may use

    void declare(CLI::App& app);
    /// Sets the log level.
    void apply(const std::string& tool) const;
};

}  // namespace lcm::cli
