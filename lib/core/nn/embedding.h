#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lib/core/nn/weight_source.h"

namespace lcm::nn {

/// Sinusoidal embedding of timesteps `t` [B] -> [B,dim] in f32 (diffusers `get_timestep_embedding`, max period 10000).
///
/// The same libtorch operations in the same order as the reference: phases reach 1000 radians, so order shows. An odd `dim` ends in a zero.
at::Tensor timestep_embedding(const at::Tensor& t, std::int64_t dim, bool flip_sin_to_cos, double freq_shift);

/// Guidance embedding of `w` = guidance scale - 1, [B] -> [B,dim] in f32: [sin | cos] of w * 1000 (lcm-facts, section 2).
at::Tensor guidance_embedding(const at::Tensor& w, std::int64_t dim);

/// Rows of a table; key `weight` [count,width].
class Embedding {
public:
    Embedding(const Scope& weights, std::int64_t count, std::int64_t width);
    /// @param ids integers in [0,count), any shape [..] -> [..,width]
    at::Tensor operator()(const at::Tensor& ids) const;
    /// The first `count` rows [count,width].
    at::Tensor first(std::int64_t count) const;

private:
    at::Tensor weight_;  ///< as it is stored
    at::ScalarType type_;
};

}  // namespace lcm::nn
