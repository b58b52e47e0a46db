#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

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

/// The first of the two passes: what every number of a picture is multiplied with and what is then added, by channel.
class NormLines {
public:
    /// @param x [B,C,H,W] in channels-last memory, and the arguments outlive this
    NormLines(const at::Tensor& x, const GroupNormArguments& arguments);

    /// The second pass for rows `first` to `first + count` of one picture, as [1,C,count,W]. Rows outside the picture are zero.
    at::Tensor rows(std::int64_t picture, std::int64_t first, std::int64_t count) const;

    /// Of every channel of a picture, [C].
    const float* factor(std::int64_t picture) const { return scale_[static_cast<std::size_t>(picture)].data(); }
    const float* shift(std::int64_t picture) const { return shift_[static_cast<std::size_t>(picture)].data(); }
    bool silu() const { return silu_; }

private:
    const at::Tensor& x_;
    bool silu_;
    std::vector<std::vector<float>> scale_, shift_;  ///< [B][C]
};

}  // namespace lcm::nn
