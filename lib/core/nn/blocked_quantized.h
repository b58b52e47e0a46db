#pragma once

#include "lib/core/nn/quantized.h"

namespace lcm::nn::blocked {

/// As its namesake in `quantized.h`, by our own products of int8 and with results in bf16: on AMX or AVX512-BF16.
std::shared_ptr<const nn::Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias,
                                                     const Scope* kept);

}  // namespace lcm::nn::blocked
