#pragma once

#include <vector>

#include "lib/sampling/sampler.h"

namespace lcm {

/// A sampler whose steps lie on whole training timesteps and whose samples keep their variance: x = sqrt(a) clean + sqrt(1-a) noise.
class AlphaSampler : public Sampler {
public:
    NoiseLevel level(int step) const override;
    double start_scale() const override;

protected:
    /// @throws Error(data) when the network's output means nothing at one of the timesteps
    AlphaSampler(const SamplerPlan& plan, const std::vector<double>& whole_schedule, int first);

    /// Alpha-bar of a training timestep.
    float alpha(std::int64_t timestep) const { return alphas_[static_cast<std::size_t>(timestep)]; }
    /// The same; beyond the first timestep 1, or that of timestep 0 with `set_alpha_to_one` off.
    float alpha_or_final(std::int64_t timestep) const;
    /// The timestep of a step that runs, as a whole number.
    std::int64_t whole_timestep(int step) const { return static_cast<std::int64_t>(timestep(step)); }

private:
    std::vector<float> alphas_;
};

}  // namespace lcm
