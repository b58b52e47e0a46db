#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/packing.h"

/// Weights and what goes with them in the order of `kernels/product.h`.
namespace lcm::nn::blocked {

/// Which row of a weight each of the kernel's sums takes; -1: none, the sum is filled up with zeros.
using SumRows = std::vector<std::int64_t>;

/// Rows 0 to `outputs`, filled up to whole panels.
SumRows plain_rows(std::int64_t outputs);
/// The halves of a gated product [2*outputs,..]: in each panel 16 values, then their gates.
SumRows gated_rows(std::int64_t outputs);

/// Where each of `outputs` rows stands among the sums, I64 [outputs].
at::Tensor places(const SumRows& rows, std::int64_t outputs);

/// Those of a tensor: f32, bf16 or bytes.
Numbers numbers_of(at::ScalarType type);

/// Packs a weight [out,in] or [out,in,k,k] of f32, bf16 or halves, rounded to `type`, f32 or bf16, or of signed bytes as they are:
/// [panels,blocks,taps,2,16,64 bytes].
Packing panel_packing(const at::Tensor& weight, const SumRows& rows, at::ScalarType type);

/// Packs G g G^T of a weight g [out,in,3,3] of f32, bf16 or halves, rounded once to `type`, f32 or bf16:
/// [panels,taps*blocks,2,16,64 bytes].
Packing window_packing(const at::Tensor& weight, const SumRows& rows, Windows windows, at::ScalarType type);

/// One number for each sum in f32, [rows]: those of `numbers` [out], or zeros where it is undefined.
at::Tensor pack_numbers(const at::Tensor& numbers, const SumRows& rows);

}  // namespace lcm::nn::blocked
