#pragma once

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class FormatterBase;
}  // namespace CLI

namespace lcm::cli {

/// A formatter that shows examples first, then the flags in groups, then the exit codes.
std::shared_ptr<CLI::FormatterBase> help_formatter(std::vector<std::string> examples);

/// The groups of an app's flags in the order of `--help`: as they were declared, those that every command has last.
std::vector<std::string> help_groups(const CLI::App& app);

/// Usage line and a pointer to --help, for a tool started on a terminal without input.
std::string short_help(const CLI::App& app);

}  // namespace lcm::cli
