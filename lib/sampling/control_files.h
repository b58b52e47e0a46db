#pragma once

#include <string>
#include <vector>

namespace lcm {

/// The weight files of a steering network: those of its folder in name order, or the one file. @throws Error(no_input)
std::vector<std::string> control_files(const std::string& path);

/// SHA-256 of these, as 64 hex digits; remembered as those of models are. @throws Error(no_input) also for what is no regular file
std::string control_sha256(const std::string& path);

}  // namespace lcm
