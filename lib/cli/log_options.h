#pragma once

#include <string>

namespace CLI {
class App;
}

namespace lcm::cli {

/// Flags of every command: how much it says, in which form, where, and in which colour.
struct LogOptions {
    bool quiet = false;  ///< `-q` wins over `-v`, and both over `--log-level`
    int verbose = 0;
    std::string level = "warning", format = "text", color = "auto";
    std::string file;  ///< empty: none

    void declare(CLI::App& app);
    /// Sets log and colours, and the words of the signal handlers with them.
    /// @param json_errors  errors on stderr as JSON (`--json`)
    /// @throws Error(cannot_create) for the file
    void apply(const std::string& tool, bool json_errors) const;
};

}  // namespace lcm::cli
