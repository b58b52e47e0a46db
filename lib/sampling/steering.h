#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/adapter/base_adapter.h"
#include "lib/sampling/sampler.h"
#include "lib/stream/record.h"

namespace lcm {

/// The adapters of a picture at the places of its run where they may change latents and conditions, in their order. What none changes stays
/// the same tensor, so that adapters of weights alone leave every bit as it is.
class Steering {
public:
    /// They must live as long as this.
    Steering(const AdapterSet& adapters, const Sampler& sampler, PredictionType type)
        : adapters_(adapters), sampler_(sampler), type_(type) {}

    /// The record with its conditions changed.
    Record conditions(const Record& record) const;
    /// The start noise, and the finished latent.
    void begin(SamplerState& state) const;
    void finish(SamplerState& state) const;
    /// The network's input for the sampler's `sample`, and what the sampler gets for the network's `output`: with what adapters do to both,
    /// and to the clean latent that the output means. @param state  as it is before the step
    at::Tensor before(at::Tensor sample, const SamplerState& state, double timestep) const;
    at::Tensor after(const at::Tensor& sample, at::Tensor output, const SamplerState& state, double timestep) const;

private:
    AdapterStep at(const SamplerState& state, double timestep = 0) const;
    at::Tensor change_clean(const at::Tensor& sample, const at::Tensor& output, const AdapterStep& step) const;

    const AdapterSet& adapters_;
    const Sampler& sampler_;
    PredictionType type_;
};

}  // namespace lcm
