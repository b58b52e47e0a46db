#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lcm::cli {

/// One command of a tool: the parser that holds its flags, and the words that stand around them.
struct HelpEntry {
    const CLI::App* app;
    std::string name;  ///< of the subcommand; empty for the tool's own flags
    std::string summary;
    std::vector<std::string> examples;
};

/// What `--help-json` is made of.
struct HelpTable {
    std::string tool, version;
    std::string summary;  ///< empty: those of the commands, joined
    std::vector<HelpEntry> commands;
};

/// The one table of a tool's flags as JSON: man pages and completions are generated from it. Keys are sorted, lists stand in the
/// order of `--help`, every key is always there, and what does not apply is null.
///
///     {"tool", "version", "summary",
///      "commands": [{"name", "summary", "examples",
///                    "operands": [{"name", "value", "help", "repeats", "required"}],
///                    "flags": [{"names", "value", "default", "choices", "help", "group", "repeats", "required", "hidden",
///                               "environment"}]}],
///      "exit_codes": [{"code", "name", "meaning"}], "signals": [{"code", "name", "meaning"}]}
std::string help_json(const HelpTable& table);

}  // namespace lcm::cli
