#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "lib/core/nn/layers.h"

namespace lcm {

/// TimestepEmbedding of diffusers: Linear, SiLU, Linear; keys `linear_1`, `linear_2` and, for a guidance embedding, `cond_proj` (no bias).
class TimeEmbedding {
public:
    /// @param condition_width  width of the guidance embedding added before `linear_1`; absent: none
    TimeEmbedding(const nn::Scope& weights, std::int64_t in, std::int64_t out, std::optional<std::int64_t> condition_width = {});

    /// @param x [B,in]; @param condition [B,condition_width] or undefined. @return [B,out]
    at::Tensor operator()(const at::Tensor& x, const at::Tensor& condition = {}) const;

private:
    nn::Linear linear_1_, linear_2_;
    std::optional<nn::Linear> cond_proj_;
};

}  // namespace lcm
