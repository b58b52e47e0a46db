#pragma once

#include <cstddef>
#include <vector>

#include "lib/core/model/unet.h"

namespace lcm {

/// Evaluates a network on the inputs of several pictures, all that fit each other (size, tokens, kinds of conditions) as one batch. A
/// picture that fits no other is evaluated alone.
/// @param inputs  each of a picture, one row or more; at least one. @throws as UNet::forward
std::vector<UNetOutputs> evaluate_together(const UNet& unet, const std::vector<UNetInputs>& inputs);

}  // namespace lcm
