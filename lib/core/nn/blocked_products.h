#pragma once

#include <string_view>

#include "lib/core/nn/packed.h"
#include "lib/core/nn/quantized.h"

/// Our own products (`kernels/product.h`), for any number of inputs and outputs: f32 on AVX512 or AVX2, bf16 and int8 on AMX or AVX512-BF16. Sums
/// are f32 until the epilogue has been applied, so that bias, SiLU and residual round once.
namespace lcm::nn::blocked {

/// Whether weights of that type are packed this way on this CPU.
bool takes(at::ScalarType type);
/// The instructions that multiply it: "amx", "avx512_bf16", "avx512" or "avx2".
std::string_view kernels(at::ScalarType type);

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

}  // namespace lcm::nn::blocked
