#include "lib/cli/show_config.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "lib/base/json.h"
#include "lib/cli/environment_name.h"

namespace lcm::cli {
namespace {

struct Shown {
    std::string value, origin;
};

std::string joined(const std::vector<std::string>& values) {
    std::string text;
    for (const auto& value : values) text += (text.empty() ? "" : ",") + value;
    return text;
}

Shown shown(const CLI::Option& option, const std::vector<Setting>& settings) {
    const auto& flag = option.get_lnames().front();
    if (option.count() == 0) return {option.get_default_str(), "default"};
    const auto setting = std::ranges::find(settings, flag, &Setting::flag);
    return {joined(option.results()), setting == settings.end() ? "command line" : setting->origin};
}

}  // namespace

bool is_configurable(const CLI::Option& option) {
    return option.nonpositional() && !option.get_lnames().empty() && !environment_name(option.get_lnames().front()).empty();
}

void print_config(const CLI::App& app, const std::vector<Setting>& settings, bool json) {
    std::string text;
    for (const auto* option : app.get_options()) {
        if (!is_configurable(*option)) continue;
        const auto& flag = option->get_lnames().front();
        const auto [value, origin] = shown(*option, settings);
        if (json)
            text += fmt::format("{}{}:{{\"origin\":{},\"value\":{}}}", text.empty() ? "" : ",", json_quote(flag), json_quote(origin),
                                value.empty() && origin == "default" ? "null" : json_quote(value));
        else if (value.empty() && origin == "default")
            text += fmt::format("# {} is not set\n", flag);
        else
            text += fmt::format("{} = {}  # {}\n", flag, json_quote(value), origin);
    }
    if (json) text = "{" + text + "}\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace lcm::cli
