#include "lib/base/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <string>

#include "lib/base/clock.h"
#include "lib/base/descriptor.h"
#include "lib/base/json.h"
#include "lib/base/terminal.h"
#include "lib/base/text.h"

namespace lcm {

namespace {

struct Log {
    LogSettings settings;
    Descriptor file;
};

Log& log() {
    static Log instance;
    return instance;
}

std::string_view label(LogLevel level) {
    constexpr std::string_view labels[] = {"error", "warning", "info", "debug"};
    return labels[static_cast<int>(level)];
}

std::string_view color(LogLevel level) {
    constexpr std::string_view red = "\x1b[31m", yellow = "\x1b[33m";
    return level == LogLevel::error ? red : level == LogLevel::warning ? yellow : "";
}

constexpr std::string_view dim = "\x1b[2m", plain = "\x1b[0m";

/// `prefix` in `color`, and the message as it is. An empty prefix or colour leaves no trace.
std::string colored(std::string_view color, std::string_view prefix, std::string_view message) {
    const auto text = escape_control(message);
    if (prefix.empty()) return text;
    return color.empty() ? fmt::format("{} {}", prefix, text) : fmt::format("{}{}{} {}", color, prefix, plain, text);
}

/// "lcm-denoise: warning:", as far as there is something to say.
std::string prefix(std::string_view label) {
    const auto& tool = log().settings.tool;
    std::string text = tool.empty() ? "" : tool + ":";
    if (!label.empty()) text += fmt::format("{}{}:", text.empty() ? "" : " ", label);
    return text;
}

std::string text_line(LogLevel level, std::string_view message, bool in_color) {
    const bool labelled = log_level() >= LogLevel::info;
    return colored(in_color ? color(level) : "", prefix(labelled ? label(level) : ""), message);
}

std::string hint_line(const Error& error, bool in_color) { return colored(in_color ? dim : "", prefix("hint"), error.fix()); }

std::string quoted(std::string_view text) { return json_quote(escape_control(text)); }

std::string error_members(const Error& error) {
    return fmt::format("\"code\":{},\"where\":{},\"what\":{},\"fix\":{}", static_cast<int>(error.code()), quoted(error.where()),
                       quoted(error.fault()), quoted(error.fix()));
}

std::string json_line(LogLevel level, std::string_view message, const std::string& more) {
    return fmt::format("\"level\":{},\"tool\":{},\"message\":{}{}", quoted(label(level)), quoted(log().settings.tool), quoted(message),
                       more.empty() ? "" : "," + more);
}

std::string time_now() { return iso_8601_utc(std::time(nullptr)); }

void to_file(const std::string& line) {
    if (log().settings.format == LogFormat::json)
        write_line(log().file.get(), fmt::format("{{\"time\":\"{}\",{}}}", time_now(), line));
    else
        write_line(log().file.get(), time_now() + " " + line);
}

bool to_a_file() { return log().file.get() >= 0; }

void print_at(LogLevel level, std::string_view message) {
    if (log_level() < level) return;
    const bool json = log().settings.format == LogFormat::json;
    if (to_a_file())
        to_file(json ? json_line(level, message, "") : text_line(level, message, false));
    else
        write_line(STDERR_FILENO, log_line(level, message));
}

void write_error(const Error& error) {
    const bool json = log().settings.format == LogFormat::json;
    if (to_a_file()) {
        to_file(json ? json_line(LogLevel::error, error.what(), error_members(error)) : text_line(LogLevel::error, error.what(), false));
        if (!json && !error.fix().empty()) to_file(hint_line(error, false));
    }
    if (log().settings.json_errors) return write_line(STDERR_FILENO, error_json(error));
    if (json) return write_line(STDERR_FILENO, "{" + json_line(LogLevel::error, error.what(), error_members(error)) + "}");
    const bool in_color = use_color(STDERR_FILENO);
    write_line(STDERR_FILENO, text_line(LogLevel::error, error.what(), in_color));
    if (!error.fix().empty()) write_line(STDERR_FILENO, hint_line(error, in_color));
}

}  // namespace

void set_log(const LogSettings& settings) {
    Descriptor file;
    if (!settings.file.empty()) {
        file = Descriptor(open_descriptor(settings.file, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0666));
        if (file.get() < 0) throw_errno(ExitCode::cannot_create, settings.file, "cannot open the log");
    }
    log() = {settings, std::move(file)};
}

const LogSettings& log_settings() { return log().settings; }
LogLevel log_level() { return log().settings.level; }

std::string log_line(LogLevel level, std::string_view message) {
    if (log().settings.format == LogFormat::json) return "{" + json_line(level, message, "") + "}";
    return text_line(level, message, use_color(STDERR_FILENO));
}

void warn(std::string_view message) { print_at(LogLevel::warning, message); }
void info(std::string_view message) { print_at(LogLevel::info, message); }
void debug(std::string_view message) { print_at(LogLevel::debug, message); }
void log_error(const Error& error) { write_error(error); }

std::string error_json(const Error& error) { return "{\"error\":{" + error_members(error) + "}}"; }

}  // namespace lcm
