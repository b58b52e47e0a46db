#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class Option;
}

namespace lcm::cli {

/// True for the long name of a flag that users write as gcc does, with one dash: two capital letters ("MD" for `-MD`).
bool is_make_word(std::string_view flag);

/// A long name with its dashes as users write it: "--steps", "-MD".
std::string flag_word(std::string_view flag);

/// False for a switch.
bool takes_value(const CLI::Option& option);

/// All names of a flag as users write them, short ones first: "-o", "--output". Empty for a pure operand.
std::vector<std::string> flag_names(const CLI::Option& option);

}  // namespace lcm::cli
