#pragma once

#include <string>
#include <vector>

#include "lib/base/error.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// `--info`, `--check` and `--index` of lcm-render: tell what pictures and record streams hold, prove them, or list where each record
/// lies, instead of rendering.
struct InfoOptions {
    bool info = false, check = false, full = false, index = false;

    void declare(CLI::App& app);
    /// @throws Error(usage) for flags that do not go together
    void check_flags() const;
    /// True when nothing is to be rendered.
    bool wanted() const { return info || check || index; }
    /// Prints a report of each file to stdout; no file or `-` is stdin. An index goes beside its file, as FILE.lcmi, or for stdin to
    /// stdout.
    ExitCode print(const std::vector<std::string>& files, bool json) const;

private:
    void print_check(const std::string& file, bool json) const;
    void write_index(const std::string& file) const;
};

}  // namespace lcm::cli
