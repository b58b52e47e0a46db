#pragma once

#include "lib/core/nn/layers.h"

namespace lcm::nn {

/// Applies `epilogue` to a product that nobody else holds; `channel_dimension` is 1 for pictures, -1 for tokens.
at::Tensor apply(const Epilogue& epilogue, at::Tensor product, std::int64_t channel_dimension);

}  // namespace lcm::nn
