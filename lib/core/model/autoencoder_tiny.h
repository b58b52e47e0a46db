#pragma once

#include <memory>

#include "lib/core/model/vae.h"

namespace lcm {

/// AutoencoderTiny of diffusers (TAESD): a small deterministic autoencoder.
/// @throws Error(data) naming a key of the configuration that is not implemented
std::unique_ptr<VAE> make_autoencoder_tiny(const Json& config, nn::WeightSource& weights);

}  // namespace lcm
