#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lcm::cli {

/// A flag's value that does not stand on the command line.
struct Setting {
    std::string flag;                 ///< long name without dashes ("steps")
    std::vector<std::string> values;  ///< one; more for a flag that can be given several times
    std::string origin;               ///< "LCM_STEPS", "lcm.toml:3"
};

/// Whose settings are wanted.
struct SettingsQuery {
    std::string tool, command;       ///< "lcm-encode", "text" (empty where a tool has no subcommand)
    std::vector<std::string> flags;  ///< long names of the flags that can be set
    std::string config;              ///< `--config`: a file to read alone, "none", or empty for the usual files
};

/// Settings from the environment (`LCM_STEPS`), `./lcm.toml`, `$XDG_CONFIG_HOME/lcm/config.toml` and `/etc/lcm/config.toml`; of
/// several for one flag the first counts, and only that one is returned (cli-contract, section 9).
///
/// In a file, keys at the top belong to every tool; a table `[lcm-denoise]` or `[lcm-encode.text]` to that tool or subcommand.
/// @throws Error(config) for a file that cannot be parsed, an unknown key (naming the nearest) or a value of no use
std::vector<Setting> load_settings(const SettingsQuery& query);

}  // namespace lcm::cli
