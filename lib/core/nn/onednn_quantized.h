#pragma once

#include "lib/core/nn/quantized.h"

namespace lcm::nn::onednn {

/// As its namesake in `quantized.h`, by oneDNN's products through operators of libtorch's dispatcher (`onednn::qlinear_pointwise`,
/// `onednn::qconv2d_pointwise`).
std::shared_ptr<const Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias);

}  // namespace lcm::nn::onednn
