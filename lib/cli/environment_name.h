#pragma once

#include <string>
#include <string_view>

namespace lcm::cli {

/// The environment variable that sets a flag: `LCM_` and the long name in upper case, with _ for - ("original-steps": LCM_ORIGINAL_STEPS).
/// @param flag  the long name without its dashes
/// @return empty for a flag that only a command line can sensibly give ("help", "config", the make words "MD", "MF", "MT")
std::string environment_name(std::string_view flag);

}  // namespace lcm::cli
