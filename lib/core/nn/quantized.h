#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "lib/core/nn/int8_kernels.h"
#include "lib/core/nn/layers.h"

/// Products in int8: y = scale_x * scale_w * (q_x - zero_point) q_w^T + b. Weights are signed bytes in equal steps for each output
/// (Jacob et al. 2017, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"), inputs unsigned
/// bytes in steps of one range that was measured before. Sums of bytes are exact, so that results depend on neither threads nor blocks.
///
/// The zero point does not reach the kernel: its part, -zero_point times the sum of a row, is added to the bias, and a picture is given its
/// padding when it is quantized. In bf16 on AMX or AVX512-BF16 the kernel is our own
/// (`kernels/product.h`), elsewhere it is oneDNN's.
namespace lcm::nn {

/// A weight as a file holds it, and the range of what it is multiplied with.
struct QuantizedWeight {
    at::Tensor steps;  ///< I8, [out,in] or [out,in,k,k]
    at::Tensor scale;  ///< F32 [out], finite, above 0
    StepRange input;
};

/// The weight in f32: steps * scale.
at::Tensor dequantize(const QuantizedWeight& weight);

/// The longest sum of products of bytes that 32 bits hold.
inline constexpr std::int64_t longest_int8_sum = INT32_MAX / (255 * 128);

/// Whether this libtorch and this CPU multiply bytes exactly (older ones round sums of two products).
bool has_quantized_products();

/// A linear layer or a convolution in int8, of `type` (f32 or bf16) and to the same. Inference on a CPU only.
/// @param bias  [out] of any floating type, or undefined
/// @param kept  where the reordered weight is kept from one run to the next; null: nowhere
std::shared_ptr<const Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias,
                                                 at::ScalarType type, const Scope* kept = nullptr);

/// What one sum of bytes is multiplied with, scale_x * scale_w, f32 [out].
at::Tensor sum_scales(const QuantizedWeight& weight);
/// The bias with the zero point's part, for the sums of each row of steps (exact in f32); f32 [out].
at::Tensor sum_biases(const QuantizedWeight& weight, const at::Tensor& sums, const at::Tensor& bias);

}  // namespace lcm::nn
