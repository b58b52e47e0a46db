#pragma once

#include "lib/core/nn/packed.h"
#include "lib/core/nn/quantized.h"

/// Products of oneDNN with weights in its own order, f32 or bf16: 1.1 to 9 times faster than a product that reorders each time, most where
/// the weights are large and the pictures small. oneDNN is asked for the order of a middling size of picture: it is the same for all sizes
/// that were measured, 8x8 to 64x64 pixels and 1 to 4096 tokens.
///
/// libtorch reaches oneDNN's post-operations through operators of its dispatcher (`mkldnn::_linear_pointwise`,
/// `mkldnn::_convolution_pointwise`); a libtorch without them has no packed products.
namespace lcm::nn::onednn {

/// Whether weights of that type are packed this way on this CPU.
bool takes(at::ScalarType type);

/// Each as its namesake in `packed.h`.
std::shared_ptr<const PackedLinear> pack_linear(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias);
std::shared_ptr<const PackedGeglu> pack_geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias);
std::shared_ptr<const PackedConv2d> pack_conv(const Scope& weights, const ConvShape& shape, const PlainWeight& plain,
                                              const at::Tensor& bias);
std::shared_ptr<const PackedUpsampleConv> pack_upsample_conv(const Scope& weights, LinearShape shape, const PlainWeight& plain,
                                                             const at::Tensor& bias);

/// As its namesake in `quantized.h`.
std::shared_ptr<const Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias);

}  // namespace lcm::nn::onednn
