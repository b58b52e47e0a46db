#include "lib/cli/common_options.h"

#include <CLI/CLI.hpp>

#include "lib/base/log.h"
#include "lib/cli/command.h"

namespace lcm::cli {

void CommonOptions::declare(CLI::App& app) {
    app.add_flag("-q,--quiet", quiet, "Say nothing but errors")->group(group::common);
    app.add_flag("-v,--verbose", verbose, "Say more; twice for details")->group(group::common)->excludes("--quiet");
    app.add_option("--progress", progress, "Progress on stderr: auto (a bar on a terminal), bar, plain, json or none")
        ->check(CLI::IsMember({"auto", "bar", "plain", "json", "none"}))
        ->type_name("FORM")
        ->capture_default_str()
        ->group(group::common);
    app.add_option("-t,--threads", threads, "Threads to compute with; 0 takes the cores this process may use")
        ->check(CLI::Range(0, 1024))
        ->type_name("N")
        ->capture_default_str()
        ->group(group::common);
}

void CommonOptions::apply(const std::string& tool) const {
    auto level = quiet ? LogLevel::error : LogLevel::warning;
    if (verbose > 0) level = verbose > 1 ? LogLevel::debug : LogLevel::info;
    set_log(tool, level);
}

}  // namespace lcm::cli
