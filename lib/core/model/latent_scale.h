#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/model/config_reader.h"
#include "lib/core/model/latent_format.h"

namespace lcm {

/// How the latents that a UNet sees follow from a VAE's own: scaled = (z - mean) / std * scaling_factor, each channel for itself.
class LatentScale {
public:
    /// Reads `shift_factor`, `latents_mean` and `latents_std` beside the format's factor. @throws Error(data)
    LatentScale(ConfigReader& reader, const LatentFormat& format);

    /// @param z [B,channels,h,w]
    at::Tensor scale(const at::Tensor& z) const;
    at::Tensor unscale(const at::Tensor& z) const;

private:
    double factor_;
    at::Tensor mean_, std_;  ///< [1,channels,1,1] f32; undefined: 0 and 1
};

}  // namespace lcm
