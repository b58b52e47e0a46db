#pragma once

#include <memory>

#include "lib/core/model/vae.h"

namespace lcm {

/// AutoencoderKL of diffusers, the VAE of Stable Diffusion: whole pictures, no tiling.
/// @throws Error(data) naming a key of the configuration that is not implemented
std::unique_ptr<VAE> make_autoencoder_kl(const Json& config, nn::WeightSource& weights);

}  // namespace lcm
