#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/nn/int8_kernels.h"
#include "lib/core/nn/layers.h"

/// Products in int8: y = scale_x * scale_w * (q_x - zero_point) q_w^T + b. Weights are signed bytes in equal steps for each output
/// (Jacob et al. 2017, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"), inputs unsigned
/// bytes in steps of one range that was measured before. Sums of bytes are exact, so that results depend on neither threads nor blocks.
///
/// The zero point does not reach the kernel: its part, -zero_point times the sum of a row, is added to the bias, and a picture is given its
/// padding when it is quantized. libtorch reaches oneDNN's kernels (AVX512-VNNI, AMX) through `onednn::qlinear_pointwise` and
/// `onednn::qconv2d_pointwise` of its dispatcher.
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

/// A linear layer or a convolution in int8, of f32 or bf16 and to the same. Inference on a CPU only.
class QuantizedProduct : public Product {
public:
    /// @param bias  [out] of any floating type, or undefined
    QuantizedProduct(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias);
    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override;

private:
    at::Tensor linear(const at::Tensor& x, const at::Tensor& bias, Epilogue& rest) const;
    at::Tensor convolution(const at::Tensor& x, const at::Tensor& bias) const;

    ProductShape shape_;
    StepRange input_;
    at::Tensor steps_;  ///< in the order of oneDNN's kernels
    at::Tensor scale_, zero_points_;
    at::Tensor bias_;  ///< with the part of the zero point, f32
};

}  // namespace lcm::nn
