#pragma once

#include <string>

#include "lib/cli/limit_options.h"
#include "lib/cli/log_options.h"
#include "lib/cli/measure_options.h"
#include "lib/cli/progress.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Flags of every command: how much it says, how it shows progress, what it may take, where its settings come from.
struct CommonOptions {
    LogOptions log;
    ProgressOptions progress;
    MeasureOptions measure;
    int threads = 0;  ///< 0: all cores this process may use
    LimitOptions limit;
    bool json = false, dry_run = false, show_config = false, help_json = false;
    std::string config;  ///< `--config`: a file, "none", or empty for the usual files

    void declare(CLI::App& app);
    /// Sets log, colours and limits. @throws Error(usage), Error(config), Error(refused), Error(cannot_create)
    void apply(const std::string& tool) const;
};

}  // namespace lcm::cli
