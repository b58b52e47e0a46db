#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "lib/core/nn/layers.h"

namespace lcm {

/// Channels in and out, groups of the norms, and what is added between.
struct ResnetShape {
    std::int64_t in = 0, out = 0, groups = 32;
    double eps = 1e-5;
    std::int64_t time_width = 0;  ///< width of the time embedding; 0: the block takes none (VAE)
};

/// ResnetBlock2D of diffusers: norm, SiLU, convolution, twice; the time embedding is added between, the input (or its 1x1 convolution,
/// where the width changes) at the end.
class ResnetBlock {
public:
    ResnetBlock(const nn::Scope& weights, const ResnetShape& shape);

    /// @param x [B,in,H,W]; @param time [B,time_width] after its SiLU, undefined without one. @return [B,out,H,W], in the
    /// memory of an `x` that nobody else holds where the layers can
    at::Tensor operator()(at::Tensor x, const at::Tensor& time = {}) const;

private:
    nn::GroupNorm norm1_, norm2_;
    nn::Conv2d conv1_, conv2_;
    std::optional<nn::Linear> time_emb_proj_;
    std::optional<nn::Conv2d> conv_shortcut_;
};

}  // namespace lcm
