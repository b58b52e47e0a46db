#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

namespace lcm::nn {

/// Whether `attention_kernel` computes it: tokens in f32 on a CPU with AVX512, or in bf16 on one with AVX512-BF16, that nobody
/// differentiates, the numbers of a token side by side.
bool takes_attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads);

/// Whose kernel attends in that type on this CPU: the instructions of ours, "amx", "avx512_bf16" or "avx512", or "libtorch".
std::string_view attention_kernels(at::ScalarType type);

/// `attention` (`layers.h`) without a mask (`kernels/attention.h`). Each block of queries is computed by one
/// thread in one order: the bytes are the same with any number of threads.
at::Tensor attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads);

}  // namespace lcm::nn
