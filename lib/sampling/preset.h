#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/sampling/request.h"

namespace lcm {

/// Names of the presets, in the order of the table.
std::vector<std::string> preset_names();

/// Sets what the request leaves open to the settings that a family of few-step models was made for. @throws Error(usage) for an unknown
/// name, or where the preset's list of timesteps and the steps asked for contradict each other
void apply_preset(std::string_view name, DenoiseRequest& request);

}  // namespace lcm
