#pragma once

#include <cstdint>

#include "lib/base/json.h"

namespace lcm {

class ConfigReader;

/// What a model's latents look like, by the VAE's configuration alone; the defaults are those of SD 1.5.
struct LatentFormat {
    std::int64_t channels = 4;
    std::int64_t factor = 8;          ///< pixels a side of one latent
    double scaling_factor = 0.18215;  ///< scaled latent = scaling factor * VAE latent (`lcm.vae_scale`)

    /// @param vae  `vae/config.json`. @throws Error(data) naming the key
    static LatentFormat from_json(const Json& vae);
    /// The same from a configuration that a network is about to read.
    static LatentFormat read(ConfigReader& vae);
};

}  // namespace lcm
