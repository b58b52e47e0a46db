#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lcm::nn {

/// Whether `attention_kernel` computes it: tokens on a CPU, of a type that we multiply (`packed.h`), that nobody differentiates, the
/// numbers of a token side by side.
bool takes_attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads);

/// `attention` (`layers.h`) without a mask (`kernels/attention.h`). Each block of queries is computed by one
/// thread in one order: the bytes are the same with any number of threads.
at::Tensor attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads);

}  // namespace lcm::nn
