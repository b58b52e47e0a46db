#pragma once

#include <ATen/core/Tensor.h>

namespace lcm {

/// The scale of each row [out] of a weight [out,...], f32: its largest number lies on step 127. That of a row of zeros is 1.
at::Tensor row_scales(const at::Tensor& weight);

/// round(weight / scale) in -127..127, halves to even, as I8.
at::Tensor weight_steps(const at::Tensor& weight, const at::Tensor& scale);

}  // namespace lcm
