#include "lib/base/log.h"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "lib/base/text.h"

namespace lcm {

namespace {

struct Log {
    std::string tool;
    LogLevel level = LogLevel::warning;
};

Log& log() {
    static Log instance;
    return instance;
}

// One write a line, so that the lines of several tools on one terminal stay whole.
void print(std::string_view label, std::string_view message) {
    std::string line = log().tool.empty() ? "" : log().tool + ": ";
    if (log().level >= LogLevel::info) line.append(label).append(": ");
    line += escape_control(message);
    line += '\n';
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (written < 0 && errno != EINTR) return;  // nobody can be told
        rest.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
}

void print_at(LogLevel level, std::string_view label, std::string_view message) {
    if (log().level >= level) print(label, message);
}

}  // namespace

void set_log(std::string_view tool, LogLevel level) { log() = {std::string(tool), level}; }
LogLevel log_level() { return log().level; }

void warn(std::string_view message) { print_at(LogLevel::warning, "warning", message); }
void info(std::string_view message) { print_at(LogLevel::info, "info", message); }
void debug(std::string_view message) { print_at(LogLevel::debug, "debug", message); }
void log_error(std::string_view message) { print("error", message); }

}  // namespace lcm
