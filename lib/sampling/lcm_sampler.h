#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "lib/sampling/sampler.h"
#include "lib/sampling/schedule.h"

namespace lcm {

/// Multistep consistency sampling: x0 from the network, the boundary scalings, and fresh noise up to the next timestep
/// (lcm-facts, section 1). The last step returns the denoised sample and draws nothing.
class LcmSampler : public Sampler {
public:
    static constexpr std::string_view name = "lcm";

    /// @throws Error(usage) as `lcm_timesteps`; Error(data) when epsilon prediction would divide by an alpha-bar of zero
    LcmSampler(const SchedulerConfig& config, int steps, const Strength& strength = {});
    static std::unique_ptr<Sampler> make(const SchedulerConfig& config, int steps);

    const std::vector<std::int64_t>& timesteps() const override { return timesteps_; }
    void step(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const override;

    /// sqrt(a) x0 + sqrt(1-a) noise at `timestep`: a clean latent carried to the noise level of that timestep.
    at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t timestep) const;

private:
    at::Tensor predict_clean(const at::Tensor& sample, const at::Tensor& output, std::int64_t timestep) const;
    at::Tensor limit(const at::Tensor& clean) const;
    at::Tensor apply_boundary(const at::Tensor& clean, const at::Tensor& sample, std::int64_t timestep) const;
    float alpha(std::int64_t timestep) const { return alphas_[static_cast<std::size_t>(timestep)]; }

    SchedulerConfig config_;
    std::vector<float> alphas_;
    std::vector<std::int64_t> timesteps_;
};

}  // namespace lcm
