#pragma once

#include "lib/sampling/request.h"
#include "lib/stream/record.h"

namespace lcm {

/// The request with what the record of a new picture asks for itself: sampler, steps, timesteps, sigmas, guidance, eta, strength and its
/// rule, generator. A flag may only repeat it. The size is asked for in the same way (`starting_size`), the seed by the tool.
/// @throws Error(data) for values that make no sense, Error(usage) when the request contradicts the record
DenoiseRequest with_wishes(const Record& record, DenoiseRequest request);

}  // namespace lcm
