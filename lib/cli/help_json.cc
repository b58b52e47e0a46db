#include "lib/cli/help_json.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "lib/cli/environment_name.h"
#include "lib/cli/exit_codes.h"
#include "lib/cli/flag_names.h"
#include "lib/cli/help.h"

namespace lcm::cli {
namespace {

using nlohmann::json;

constexpr int indent = 1;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

/// Type and checks as CLI11 describes them: "FORM:{auto,bar}", "TYPE:value in {f32->0,bf16->1} OR {0,1}", "N:INT in [1 - 100]".
struct Described {
    std::string value;
    std::vector<std::string> choices;
};

Described described(const CLI::Option& option) {
    if (!takes_value(option)) return {};
    const auto text = option.get_type_name();
    Described result{text.substr(0, text.find(':')), {}};
    const auto open = text.find('{'), close = text.find('}');
    if (open == std::string::npos) return result;
    for (const auto& choice : CLI::detail::split(text.substr(open + 1, close - open - 1), ','))
        result.choices.push_back(choice.substr(0, choice.find("->")));
    return result;
}

bool repeats(const CLI::Option& option) {
    if (!takes_value(option)) return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    return option.get_items_expected_max() > 1 && option.get_delimiter() == '\0';
}

json flag_json(const CLI::Option& option) {
    const auto& long_names = option.get_lnames();
    const auto [value, choices] = described(option);
    return {{"names", flag_names(option)},
            {"value", or_null(value)},
            {"default", or_null(option.get_default_str())},
            {"choices", choices},
            {"help", option.get_description()},
            {"group", option.get_group()},
            {"repeats", repeats(option)},
            {"required", option.get_required()},
            {"hidden", option.get_group().empty()},
            {"environment", or_null(long_names.empty() ? "" : environment_name(long_names.front()))}};
}

json operand_json(const CLI::Option& option) {
    const auto name = option.get_name(true);
    const auto value = described(option).value;
    return {{"name", name},
            {"value", value.empty() ? name : value},
            {"help", option.get_description()},
            {"repeats", repeats(option)},
            {"required", option.get_required()}};
}

/// The options in the order of `--help`: by group, in each as they were declared.
json command_json(const HelpEntry& entry) {
    json flags = json::array(), operands = json::array();
    for (const auto& group : help_groups(*entry.app))
        for (const auto* option : entry.app->get_options([&](const CLI::Option* other) { return other->get_group() == group; })) {
            if (option->get_positional() && !group.empty()) operands.push_back(operand_json(*option));
            if (option->nonpositional()) flags.push_back(flag_json(*option));
        }
    return {{"name", entry.name}, {"summary", entry.summary}, {"examples", entry.examples}, {"operands", operands}, {"flags", flags}};
}

std::string summary_of(const HelpTable& table) {
    std::string text = table.summary;
    if (!text.empty()) return text;
    for (const auto& command : table.commands) text += (text.empty() ? "" : "; ") + command.summary;
    return text;
}

json statuses_json(std::span<const ExitStatus> statuses) {
    json list = json::array();
    for (const auto& [code, name, meaning] : statuses) list.push_back({{"code", code}, {"name", name}, {"meaning", meaning}});
    return list;
}

}  // namespace

std::string help_json(const HelpTable& table) {
    json commands = json::array();
    for (const auto& entry : table.commands) commands.push_back(command_json(entry));
    const json object{{"tool", table.tool},
                      {"version", table.version},
                      {"summary", summary_of(table)},
                      {"commands", commands},
                      {"exit_codes", statuses_json(exit_codes())},
                      {"signals", statuses_json(signal_statuses())}};
    return object.dump(indent) + "\n";
}

}  // namespace lcm::cli
