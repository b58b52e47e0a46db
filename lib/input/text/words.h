#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lcm {

/// A prompt as CLIP reads it: normal form C, each run of white space one space, lower case. Nothing is trimmed or stripped.
/// @throws Error(unavailable) beyond ASCII in a build without Unicode tables
std::u32string normalize_prompt(std::u32string_view prompt);

/// The words of a normalised prompt, as views of it: runs of letters, single digits, runs of all else but white space, and the English
/// endings 's 't 're 've 'm 'll 'd. White space is dropped.
std::vector<std::u32string_view> split_words(std::u32string_view text);

}  // namespace lcm
