#pragma once

#include <string>
#include <vector>

#include "lib/sampling/sampler.h"

namespace lcm {

/// Names under which a state keeps earlier outputs, oldest first: output.0, output.1 ...
std::vector<std::string> history_names(int count);

/// The earlier outputs of a state, oldest first.
std::vector<at::Tensor> history_of(const SamplerState& state);

/// Appends an output and forgets all but the newest `keep`.
void remember(SamplerState& state, const at::Tensor& output, int keep);

}  // namespace lcm
