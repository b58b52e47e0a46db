#include "lib/cli/info_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "lib/cli/command.h"
#include "lib/render/picture_info.h"

namespace lcm::cli {

void InfoOptions::declare(CLI::App& app) {
    app.add_flag("--info", wanted, "Tell what pictures or record streams hold, and render nothing")->group("Reports");
    app.add_flag("--json", json, "Print the report as JSON, one object a line")->group("Reports");
}

void InfoOptions::check() const {
    if (json && !wanted) throw Error(ExitCode::usage, "--json", "is for reports", "add --info");
}

ExitCode InfoOptions::print(const std::vector<std::string>& files) const {
    for (const auto& file : files.empty() ? std::vector<std::string>{"-"} : files) {
        const auto info = read_file_info(open_source(file));
        const auto text = json ? info_json(info) : info_text(info);
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
    return ExitCode::ok;
}

}  // namespace lcm::cli
