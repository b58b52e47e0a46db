#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lcm::nn {

/// Sinusoidal embedding of timesteps `t` [B] -> [B,dim] in f32 (diffusers `get_timestep_embedding`, max period 10000).
///
/// The same libtorch operations in the same order as the reference: phases reach 1000 radians, so order shows.
at::Tensor timestep_embedding(const at::Tensor& t, std::int64_t dim, bool flip_sin_to_cos, double freq_shift);

/// Guidance embedding of `w` = guidance scale - 1, [B] -> [B,dim] in f32: [sin | cos] of w * 1000 (lcm-facts, section 2).
at::Tensor guidance_embedding(const at::Tensor& w, std::int64_t dim);

}  // namespace lcm::nn
