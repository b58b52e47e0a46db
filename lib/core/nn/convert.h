#pragma once

#include <ATen/core/Tensor.h>

namespace lcm::nn {

/// `weight.to(type)`, the same bytes, in all threads. Halves, in which weights are published, take vectorized loops of our own: libtorch's
/// take three times as long.
at::Tensor to_type(const at::Tensor& weight, at::ScalarType type);

}  // namespace lcm::nn
