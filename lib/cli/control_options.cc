#include "lib/cli/control_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/sampling/control_files.h"
#include "lib/sampling/control_kind.h"

namespace lcm::cli {
namespace {

constexpr const char* steering_group = "Steering";
constexpr double largest_scale = 100;

std::string flag_of(const ControlKind& kind) { return fmt::format("--{}", kind.name); }

/// Takes what stands behind the last colon; nothing without one, or where it belongs to a path.
std::optional<std::string> take_last(std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || text.find('/', colon) != std::string::npos) return std::nullopt;
    std::string last = text.substr(colon + 1);
    text.resize(colon);
    return last;
}

std::optional<StepWindow> parse_window(const std::string& text) {
    const auto dash = text.find('-');
    if (dash == std::string::npos) return std::nullopt;
    const auto start = parse_number(text.substr(0, dash)), end = parse_number(text.substr(dash + 1));
    if (!start || !end || !(*start >= 0) || !(*start < *end) || !(*end <= 1)) return std::nullopt;
    return StepWindow{*start, *end};
}

/// The text in front of "=", where it is a name of a map.
std::string take_map(std::string& text) {
    const auto sign = text.find('=');
    if (sign == std::string::npos || text.find('/') < sign) return {};
    std::string map = text.substr(0, sign);
    text.erase(0, sign + 1);
    return map;
}

}  // namespace

ControlRequest parse_control(const std::string& text, const std::string& flag) {
    const auto refuse = [&](const char* what) {
        throw Error(ExitCode::usage, flag, fmt::format("\"{}\" {}", escape_control(text), what),
                    "write it like canny=FOLDER:0.8:0-0.5: a map, a folder, a scale, and the share of the steps");
    };
    ControlRequest request;
    std::string rest = text;
    request.map = take_map(rest);
    std::optional<std::string> last = take_last(rest);
    if (last && last->find('-', 1) != std::string::npos && !parse_number(*last)) {
        const auto window = parse_window(*last);
        if (!window) refuse("ends in no share of the steps, START-END from 0 to 1");
        request.window = *window;
        last = take_last(rest);
        if (!last) refuse("has a share of the steps and no scale");
    }
    if (last) {
        const auto scale = parse_number(*last);
        if (!scale || *scale < -largest_scale || *scale > largest_scale) refuse("ends in no scale");
        request.scale = *scale;
    }
    request.path = rest;
    if (request.path.empty()) refuse("names no folder");
    return request;
}

void ControlOptions::declare(CLI::App& app) {
    for (const ControlKind* kind : control_kinds()) {
        CLI::Option* flag = app.add_option(flag_of(*kind), networks[kind->name], kind->help)->allow_extra_args(false);
        if (!kind->follows_map) flag->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
        flag->type_name(kind->value)->group(steering_group);
    }
    app.add_flag("--guess-mode", guess_mode, "Let ControlNets act on the prompted half alone, weaker towards the fine end")
        ->group(steering_group);
}

void ControlOptions::check() const {
    bool guesses = false;
    for (const auto& [name, texts] : networks) {
        const ControlKind& kind = control_kind(std::string(name), "");
        guesses = guesses || (kind.may_guess && !texts.empty());
        for (const std::string& text : texts) {
            const ControlRequest request = parse_control(text, flag_of(kind));
            if (!kind.follows_map && (!request.map.empty() || request.window != StepWindow{}))
                throw Error(ExitCode::usage, flag_of(kind), "takes a file and a scale alone", "write FILE:0.6");
        }
    }
    if (guess_mode && !guesses) throw Error(ExitCode::usage, "--guess-mode", "is about --controlnet", "add one");
}

std::vector<ControlEntry> ControlOptions::entries() const {
    std::vector<ControlEntry> entries;
    for (const ControlKind* kind : control_kinds()) {
        const auto given = networks.find(kind->name);
        if (given == networks.end()) continue;
        for (const std::string& text : given->second) {
            const ControlRequest request = parse_control(text, flag_of(*kind));
            entries.push_back({std::string(kind->name), request.map, control_sha256(request.path), request.scale, request.window,
                               guess_mode && kind->may_guess, request.path});
        }
    }
    return entries;
}

}  // namespace lcm::cli
