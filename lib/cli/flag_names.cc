#include "lib/cli/flag_names.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace lcm::cli {

bool is_make_word(std::string_view flag) {
    return flag.size() == 2 && std::ranges::all_of(flag, [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string flag_word(std::string_view flag) { return (is_make_word(flag) ? "-" : "--") + std::string(flag); }

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::vector<std::string> flag_names(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const auto& name : option.get_snames()) names.push_back("-" + name);
    for (const auto& name : option.get_lnames()) names.push_back(flag_word(name));
    return names;
}

}  // namespace lcm::cli
