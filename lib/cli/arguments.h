#pragma once

#include <functional>
#include <string>
#include <vector>

namespace lcm::cli {

/// True when the flag `name` ("--prompt", "-p") exists and takes a value; nothing is known of other words.
using TakesValue = std::function<bool(const std::string& name)>;

/// Brings the words of a command line into the form that the parser takes, up to a `--`:
/// `-MD -MF -MT`, which it would split into letters, become `--MD --MF --MT`; names that other programs use become ours
/// (`--cfg-scale`); `--prompt=` becomes the flag and an empty word.
/// @throws Error(usage) for `-n` before a word that is no file: elsewhere that is the negative prompt
std::vector<std::string> prepare_arguments(const std::vector<std::string>& words, const TakesValue& takes_value);

}  // namespace lcm::cli
