#pragma once

#include "lib/core/nn/packed.h"
#include "lib/core/nn/quantized.h"

/// Products in bf16 on the tiles of AMX (`kernels/product_amx.h`), for any number of inputs and outputs. Sums are f32 until the epilogue
/// has been applied, so that bias, SiLU and residual round once.
namespace lcm::nn::amx {

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
std::shared_ptr<const nn::Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias,
                                                 const Scope* kept);

}  // namespace lcm::nn::amx
