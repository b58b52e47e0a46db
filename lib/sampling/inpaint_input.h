#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "lib/stream/record.h"

namespace lcm {

/// What an inpainting UNet sees beside the sample: what is drawn anew, `latent.mask`, and the picture without it, `latent.masked`.
///
/// A picture that was encoded with a draw leaves the one of its masked copy to the run, which spends it behind the start noise (lcm-facts,
/// section 3): `latent.masked_std` is then the deviation that it is scaled with.
struct InpaintInput {
    at::Tensor mask;       ///< [1,1,h,w]
    at::Tensor masked;     ///< [1,C,h,w], scaled
    at::Tensor deviation;  ///< [1,C,h,w] while the draw is still to come; else undefined

    /// @param shape  of the latent, [C,h,w]
    /// @throws Error(data) that says what to do when the record holds no mask or no masked latent, or they have another shape
    static InpaintInput read(const Record& record, const std::vector<std::int64_t>& shape);

    /// Spends the draw. @param noise  [1,C,h,w]
    void sample(const at::Tensor& noise);

    /// What goes behind the sample's channels: mask, masked latent [1,1+C,h,w].
    at::Tensor channels() const;
};

/// Channels that a UNet takes for latents of `channels`: the sample, one of the mask, the masked latent.
constexpr std::int64_t inpaint_channels(std::int64_t channels) { return 2 * channels + 1; }

}  // namespace lcm
