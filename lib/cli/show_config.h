#pragma once

#include <vector>

#include "lib/cli/settings.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace lcm::cli {

/// True for a flag that environment and configuration files can set: not for operands, nor for those that only tell something.
bool is_configurable(const CLI::Option& option);

/// Prints each flag of the parsed command with its value and where that comes from (`--show-config`): a TOML line with a comment,
/// or with `json` one object `{"steps":{"origin":"lcm.toml:2","value":"4"}}`.
/// @param settings  those that apply, because the command line does not overrule them
void print_config(const CLI::App& app, const std::vector<Setting>& settings, bool json);

}  // namespace lcm::cli
