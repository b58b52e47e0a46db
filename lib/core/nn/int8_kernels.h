#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

/// What products in int8 need around them: numbers become steps of a range, and rows of weights are added up. Bytes do not depend on the
/// number of threads.
namespace lcm::nn {

/// Where a range of numbers lies in 0..255: x is about (q - zero_point) * scale.
struct StepRange {
    float scale = 1;              ///< finite, above 0
    std::uint8_t zero_point = 0;  ///< what 0 becomes
};

/// q = clamp(round(x / scale) + zero_point, 0, 255), halves to even; of f32 or bf16, in the shape of `x`, row-major.
at::Tensor quantize_steps(const at::Tensor& x, const StepRange& range);

/// The same of a picture [B,C,H,W], with `border` pixels of zero_point around it: [B,C,H+2b,W+2b], channels last.
at::Tensor quantize_picture(const at::Tensor& x, const StepRange& range, std::int64_t border);

/// The sum of each row of signed bytes [out,...], as i32 [out].
at::Tensor row_sums(const at::Tensor& weight);

/// a * gelu(b) for [..., a | b], with the exact (erf) gelu to 2e-7 absolute: [..., 2D] to [..., D], of f32 or bf16.
at::Tensor geglu_kernel(const at::Tensor& x);

}  // namespace lcm::nn
