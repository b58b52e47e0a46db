#pragma once

#include <map>
#include <string>
#include <string_view>

namespace lcm {

/// Tells what this process computes with, under a role of fixed spelling: `note_engine("precision", "bf16")`, `note_engine("attention",
/// NAME)`. A later note of a role takes the place of the earlier one. From any thread; cheap enough for the making of a layer, not for its
/// calls.
void note_engine(std::string_view role, std::string_view value);

/// All that was noted, by role: `compute` in the statistics of a run.
std::map<std::string, std::string, std::less<>> engine_facts();

}  // namespace lcm
