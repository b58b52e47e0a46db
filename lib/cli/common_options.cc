#include "lib/cli/common_options.h"

#include <CLI/CLI.hpp>

#include "lib/cli/command.h"

namespace lcm::cli {

void CommonOptions::declare(CLI::App& app) {
    log.declare(app);
    progress.declare(app);
    measure.declare(app);
    app.add_option("-t,--threads", threads, "Threads to compute with; 0 takes the cores this process may use, divided among tools at work")
        ->check(CLI::Range(0, 1024))
        ->type_name("N")
        ->capture_default_str()
        ->group(group::common);
    limit.declare(app);
    app.add_flag("--json", json, "Reports and errors as JSON, one object a line")->group(group::common);
    app.add_flag("-n,--dry-run", dry_run, "Check everything, print what would be done, the memory and the time; write nothing")
        ->group(group::common);
    app.add_option("--config", config, "Read this configuration file and no other; none reads none")
        ->type_name("FILE|none")
        ->group(group::common);
    app.add_flag("--show-config", show_config, "Print every setting with where it comes from")->group(group::common);
    app.add_flag("--help-json", help_json, "Print all flags as JSON, as man pages and completions are made from")->group(group::common);
}

void CommonOptions::apply(const std::string& tool) const {
    log.apply(tool, json);
    limit.apply();
}

}  // namespace lcm::cli
