#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lcm::nn {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias with mean and variance of each picture's group of channels, then SiLU if asked.
struct GroupNormArguments {
    std::int64_t groups;
    double eps;
    const at::Tensor& weight;  ///< [C]
    const at::Tensor& bias;    ///< [C]
    bool silu;
};

/// Whether `group_norm_kernel` computes it: f32 or bf16 pictures on the CPU that nobody differentiates.
bool takes_group_norm_kernel(const at::Tensor& x);

/// Two passes over channels-last memory [B,H,W,C], the second of which writes. The sums are made in blocks of pixels that depend on the
/// shape alone, so that the bytes are the same with any number of threads.
at::Tensor group_norm_kernel(const at::Tensor& x, const GroupNormArguments& arguments);

}  // namespace lcm::nn
