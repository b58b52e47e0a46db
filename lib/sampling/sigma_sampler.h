#pragma once

#include <vector>

#include "lib/sampling/sampler.h"
#include "lib/sampling/sigmas.h"

namespace lcm {

/// A sampler that goes along noise levels sigma.
class SigmaSampler : public Sampler {
public:
    std::vector<double> sigmas() const override { return sigmas_; }
    NoiseLevel level(int step) const override { return level_of_sigma(sigma(step)); }
    double start_scale() const override;

protected:
    SigmaSampler(const SamplerPlan& plan, const SigmaRules& rules) : SigmaSampler(plan, sigma_schedule(plan.config, plan.steps, rules)) {}

    /// The level that step `step` begins with; a negative step lies before the first that runs.
    double sigma(int step) const { return sigmas_[static_cast<std::size_t>(index(step))]; }
    /// Steps of the whole schedule.
    int schedule_length() const { return static_cast<int>(sigmas_.size()) - 1; }

private:
    SigmaSampler(const SamplerPlan& plan, SigmaSchedule schedule)
        : Sampler(plan, schedule.timesteps, first_of_cut(plan)), sigmas_(std::move(schedule.sigmas)) {}

    std::vector<double> sigmas_;
};

/// A sampler that computes on clean + sigma * normal. Its samples keep their variance as all others do, divided by sqrt(sigma^2 + 1), which
/// is also what the network gets.
class ExplodingSampler : public SigmaSampler {
public:
    double start_scale() const override;

protected:
    explicit ExplodingSampler(const SamplerPlan& plan);

    /// The sample as clean + sigma * normal.
    at::Tensor expand(const SamplerState& state) const;
    /// Such a sample of the next level as the state holds it.
    at::Tensor contract(const at::Tensor& expanded, int step) const;
    /// Runs the network and gives the x0 that its output means: x - sigma e for epsilon, e for `sample`,
    /// x / (sigma^2 + 1) - e sigma / sqrt(sigma^2 + 1) for v_prediction, with the expanded x.
    at::Tensor clean_of(const SamplerState& state, const at::Tensor& expanded, const DenoiseFunction& network) const;
};

}  // namespace lcm
