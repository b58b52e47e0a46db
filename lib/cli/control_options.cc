#include "lib/cli/control_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/sampling/control_networks.h"

namespace lcm::cli {
namespace {

constexpr const char* steering_group = "Steering";
constexpr const char* controlnet_flag = "--controlnet";
constexpr const char* t2i_adapter_flag = "--t2i-adapter";
constexpr const char* ip_adapter_flag = "--ip-adapter";
constexpr double largest_scale = 100;

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
    const auto add = [&](const char* name, auto& value, const char* help) {
        return app.add_option(name, value, help)->allow_extra_args(false)->group(steering_group);
    };
    add(controlnet_flag, controlnets, "Follow the record's control map with a ControlNet, its scale (1), in this share of the steps (0-1)")
        ->type_name("[MAP=]DIR|FILE[:SCALE[:START-END]]");
    add(t2i_adapter_flag, t2i_adapters, "The same with a T2I-Adapter")->type_name("[MAP=]DIR|FILE[:SCALE[:START-END]]");
    add(ip_adapter_flag, ip_adapter, "Follow the record's image features with an IP-Adapter, its scale (1)")->type_name("FILE[:SCALE]");
    app.add_flag("--guess-mode", guess_mode, "Let ControlNets act on the prompted half alone, weaker towards the fine end")
        ->group(steering_group);
}

void ControlOptions::check() const {
    for (const std::string& text : controlnets) parse_control(text, controlnet_flag);
    for (const std::string& text : t2i_adapters) parse_control(text, t2i_adapter_flag);
    if (guess_mode && controlnets.empty()) throw Error(ExitCode::usage, "--guess-mode", "is about --controlnet", "add one");
    if (ip_adapter.empty()) return;
    const ControlRequest request = parse_control(ip_adapter, ip_adapter_flag);
    if (!request.map.empty() || request.window.start != 0 || request.window.end != 1)
        throw Error(ExitCode::usage, ip_adapter_flag, "takes a file and a scale alone", "write FILE:0.6");
}

ControlSet ControlOptions::open(const UNetConfig& unet) const {
    ControlSet set;
    for (const std::string& text : controlnets) {
        const ControlRequest request = parse_control(text, controlnet_flag);
        set.controls.push_back(
            {request.map, open_controlnet(request.path, unet), {.scale = request.scale, .guess = guess_mode}, request.window});
    }
    for (const std::string& text : t2i_adapters) {
        const ControlRequest request = parse_control(text, t2i_adapter_flag);
        set.adapters.push_back({request.map, open_t2i_adapter(request.path, unet), request.scale, request.window});
    }
    if (ip_adapter.empty()) return set;
    const ControlRequest request = parse_control(ip_adapter, ip_adapter_flag);
    set.image_prompt = ImagePromptUse{open_ip_adapter(request.path, unet), request.scale};
    return set;
}

std::vector<std::string> ControlOptions::files() const {
    std::vector<std::string> files;
    for (const std::string& text : controlnets) files.push_back(parse_control(text, controlnet_flag).path);
    for (const std::string& text : t2i_adapters) files.push_back(parse_control(text, t2i_adapter_flag).path);
    if (!ip_adapter.empty()) files.push_back(parse_control(ip_adapter, ip_adapter_flag).path);
    return files;
}

}  // namespace lcm::cli
