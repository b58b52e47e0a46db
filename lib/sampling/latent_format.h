#pragma once

#include <cstdint>

#include "lib/core/bundle/bundle.h"

namespace lcm {

/// What a model's latents look like, by its configuration files alone: no weights are read.
struct LatentFormat {
    std::int64_t channels = 4;
    std::int64_t factor = 8;         ///< pixels a side of one latent
    double scaling_factor = 0.18215;  ///< scaled latent = factor * VAE latent (`lcm.vae_scale`)

    /// Channels of the UNet; factor and scaling of the VAE's configuration, where there is none those of SD 1.5.
    /// @throws Error(data) when UNet and VAE differ in channels, or the configuration makes no sense
    static LatentFormat of(const Bundle& bundle, const UNetConfig& unet);
};

}  // namespace lcm
