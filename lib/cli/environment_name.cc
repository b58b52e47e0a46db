#include "lib/cli/environment_name.h"

#include <algorithm>
#include <array>

#include "lib/cli/flag_names.h"

namespace lcm::cli {
namespace {

constexpr std::array<std::string_view, 5> only_on_command_lines{"help", "version", "help-json", "show-config", "config"};

char shouted(char c) {
    if (c == '-') return '_';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::string environment_name(std::string_view flag) {
    if (is_make_word(flag) || std::ranges::find(only_on_command_lines, flag) != only_on_command_lines.end()) return {};
    std::string name = "LCM_";
    std::ranges::transform(flag, std::back_inserter(name), shouted);
    return name;
}

}  // namespace lcm::cli
