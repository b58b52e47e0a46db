#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "lib/core/model/unet.h"
#include "lib/stream/record.h"

namespace lcm {

/// A UNet bound to one picture's conditioning and guidance scale.
///
/// A UNet with a guidance embedding is told w = scale - 1. Any other takes classifier-free guidance when the scale is above 1:
/// e = e_uncond + scale * (e_cond - e_uncond), both halves in one batch, unconditional first (lcm-facts, section 1).
class GuidedUNet {
public:
    /// @throws Error(data) when `text.embeds` or, for classifier-free guidance, `text.negative.embeds` is absent or does not fit
    GuidedUNet(const UNet& unet, const Record& record, double guidance_scale);

    /// The guided output [1,C,H,W] for `sample` [1,C,H,W] at `timestep`, row-major.
    /// @throws Error(data) when the network gives NaN or infinity
    at::Tensor operator()(const at::Tensor& sample, std::int64_t timestep) const;

private:
    const UNet& unet_;
    std::string place_;  ///< of the record, for messages
    double guidance_scale_;
    bool classifier_free_;
    at::Tensor context_;   ///< [1 or 2,T,D]
    at::Tensor guidance_;  ///< [1], undefined without a guidance embedding
};

}  // namespace lcm
