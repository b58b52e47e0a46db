#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/scheduler_config.h"

namespace lcm {

/// The guided network: its output [B,C,H,W] for `sample` [B,C,H,W] at `timestep`.
using DenoiseFunction = std::function<at::Tensor(const at::Tensor& sample, std::int64_t timestep)>;

/// Where a run stands: what a sampler changes, and what a record saves in mid-trajectory together with the noise generator.
struct SamplerState {
    int step = 0;         ///< steps done
    at::Tensor sample;    ///< [B,C,H,W]
    at::Tensor denoised;  ///< x0 estimate of the last step, [B,C,H,W]; undefined before the first
};

/// A way from noise to latents: a state machine over a denoise function, without any state of its own.
class Sampler {
public:
    virtual ~Sampler() = default;

    /// Timesteps the network sees, one a step; their number is the number of steps.
    virtual const std::vector<std::int64_t>& timesteps() const = 0;

    /// Takes step `state.step`, and draws from `noise` what the step needs. @throws Error(software) past the last step
    virtual void step(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const = 0;
};

/// The sampler of that name (`lcm.sampler`) with these settings and this many steps.
/// @throws Error(data) for an unknown name, Error(usage) when the settings do not fit the number of steps
std::unique_ptr<Sampler> make_sampler(std::string_view name, const SchedulerConfig& config, int steps);

}  // namespace lcm
