#include "lib/cli/log_options.h"

#include <CLI/CLI.hpp>
#include <map>

#include "lib/base/log.h"
#include "lib/base/terminal.h"
#include "lib/cli/command.h"
#include "lib/cli/signals.h"

namespace lcm::cli {
namespace {

const std::map<std::string, LogLevel>& levels() {
    static const std::map<std::string, LogLevel> all{
        {"error", LogLevel::error}, {"warning", LogLevel::warning}, {"info", LogLevel::info}, {"debug", LogLevel::debug}};
    return all;
}

const std::map<std::string, ColorChoice>& colors() {
    static const std::map<std::string, ColorChoice> all{
        {"auto", ColorChoice::automatic}, {"always", ColorChoice::always}, {"never", ColorChoice::never}};
    return all;
}

}  // namespace

void LogOptions::declare(CLI::App& app) {
    const auto add_choice = [&app](const char* flag, std::string& value, std::vector<std::string> words, const char* help) {
        app.add_option(flag, value, help)
            ->check(CLI::IsMember(std::move(words)))
            ->type_name("WORD")
            ->capture_default_str()
            ->group(group::common);
    };
    app.add_flag("-q,--quiet", quiet, "Say nothing but errors")->group(group::common);
    app.add_flag("-v,--verbose", verbose, "Say more; twice for details")->group(group::common)->excludes("--quiet");
    add_choice("--log-level", level, {"error", "warning", "info", "debug"},
               "Say this and all that is worse: error, warning, info or debug");
    add_choice("--log-format", format, {"text", "json"}, "Messages as text, or as JSON, one object a line");
    app.add_option("--log-file", file, "Append messages to this file; only errors then also go to stderr")
        ->type_name("FILE")
        ->group(group::common);
    add_choice("--color", color, {"auto", "always", "never"}, "Colour in messages and reports: auto (on a terminal), always or never");
}

void LogOptions::apply(const std::string& tool, bool json_errors) const {
    auto said = levels().at(level);
    if (verbose > 0) said = verbose > 1 ? LogLevel::debug : LogLevel::info;
    if (quiet) said = LogLevel::error;
    set_color(colors().at(color));
    set_log({tool, said, format == "json" ? LogFormat::json : LogFormat::text, file, json_errors});
    prepare_signal_messages();
}

}  // namespace lcm::cli
