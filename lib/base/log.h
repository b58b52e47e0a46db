#pragma once

#include <string_view>

namespace lcm {

/// How much a tool says on stderr. Errors are always printed.
enum class LogLevel { error, warning, info, debug };

/// The tool's name in front of each line, and the level, set once by `run_main`.
void set_log(std::string_view tool, LogLevel level);
LogLevel log_level();

/// One line `tool: message` on stderr when the level allows; control characters are escaped. Level labels only at info and above.
void warn(std::string_view message);
void info(std::string_view message);
void debug(std::string_view message);
/// Printed at every level.
void log_error(std::string_view message);

}  // namespace lcm
