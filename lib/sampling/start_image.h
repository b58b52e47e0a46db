#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/sampling/sampler.h"
#include "lib/stream/record.h"

namespace lcm {

/// A tensor of the record in f32 with a batch dimension, in memory of its own. @throws Error(data) when it has another shape, or NaN
at::Tensor record_tensor(const Record& record, std::string_view name, const std::vector<std::int64_t>& shape);

/// `latent.mask` [1,1,h,w] of a record. @param shape  of the latent, [C,h,w]. @throws Error(data) also when it leaves [0,1]
at::Tensor mask_tensor(const Record& record, const std::vector<std::int64_t>& shape);

/// The latent that a picture starts from, `latent.init`, and which of it is drawn anew, `latent.mask` (lcm-facts, section 3).
class StartImage {
public:
    /// Nothing when the record has no start latent. @param shape  of the latent, [C,h,w]
    /// @throws Error(data) for another shape, a mask without a latent, or a mask outside [0,1]
    static std::optional<StartImage> read(const Record& record, const std::vector<std::int64_t>& shape);

    bool masked() const { return mask_.defined(); }

    /// The sample before the first step: the latent carried to its noise level; noise alone for a mask at full strength.
    at::Tensor begin(const Sampler& sampler, double strength, const at::Tensor& noise) const;

    /// Sets the latent back outside the mask, at the noise level that the sample stands at: (1-m) (z0 with the start noise) + m x.
    void keep_unmasked(SamplerState& state, const Sampler& sampler, const at::Tensor& noise) const;

private:
    at::Tensor clean_, mask_;  // [1,C,h,w]; [1,1,h,w] or undefined
};

}  // namespace lcm
