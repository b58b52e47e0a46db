#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lib/core/model/vae.h"

namespace lcm {

/// Pixels [B,3,H,W] of latents [B,C,h,w], decoded in square tiles of `tile` pixels that overlap by a quarter and are blended linearly
/// (`tiled_decode` of diffusers' AutoencoderKL). Memory is bounded by a tile and the result. Not the picture of a whole decode: group norms
/// and attention see one tile at a time. A picture that fits a tile is decoded as a whole.
/// @param tile  a multiple of four latents: `tile` / `factor()` is one
at::Tensor decode_in_tiles(const VAE& vae, const at::Tensor& latents, std::int64_t tile);

}  // namespace lcm
