#pragma once

#include <string>

#include "lib/sampling/run_settings.h"

namespace lcm {

/// What a picture's steps will be, in numbers, without a network: settings in one line, then a table with timestep, alpha-bar, sigma, draws
/// and the sampler's own numbers of each step. Ends with a newline.
std::string explain(const RunSettings& settings);

}  // namespace lcm
