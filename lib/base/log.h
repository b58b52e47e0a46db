#pragma once

#include <string>
#include <string_view>

#include "lib/base/error.h"

namespace lcm {

/// How much a tool says. Errors are always said.
enum class LogLevel { error, warning, info, debug };

/// One line of words, or one JSON object a line.
enum class LogFormat { text, json };

/// What is said, in which form, and where.
struct LogSettings {
    std::string tool = {};  ///< in front of each line; empty: nothing
    LogLevel level = LogLevel::warning;
    LogFormat format = LogFormat::text;
    std::string file = {};     ///< lines are appended here, each with its time; stderr then gets errors alone. Empty: stderr gets all
    bool json_errors = false;  ///< `log_error` writes `{"error":...}` on stderr, whatever the format
};

/// Takes the settings for all that is logged from now on. @throws Error(cannot_create) when the file cannot be opened; nothing changes then
void set_log(const LogSettings& settings);
const LogSettings& log_settings();
LogLevel log_level();

/// One line when the level allows: `tool: message`, with a level label at info and above, or
/// `{"level":"warning","tool":"lcm-denoise","message":"..."}`. Control characters are escaped. Never throws.
void warn(std::string_view message);
void info(std::string_view message);
void debug(std::string_view message);

/// At every level: `tool: where: what` and, when there is one, `tool: hint: fix`; in JSON one line.
void log_error(const Error& error);

/// `message` as `stderr` shows it at `level`, without the newline: for those who cannot log when they must (signal handlers).
std::string log_line(LogLevel level, std::string_view message);

/// `{"error":{"code":65,"where":"record 3 header","what":"...","fix":"..."}}`: what `--json` shows of an error.
std::string error_json(const Error& error);

}  // namespace lcm
