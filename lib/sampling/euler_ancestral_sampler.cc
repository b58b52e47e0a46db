#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/sampling/sigma_sampler.h"

namespace lcm {
namespace {

/// Euler's method to a level below the next one, and fresh noise up to it (k-diffusion, `sample_euler_ancestral`):
/// up^2 = next^2 (here^2 - next^2) / here^2, down^2 = next^2 - up^2. Every step draws, also the last, whose noise counts nothing.
class EulerAncestralSampler : public ExplodingSampler {
public:
    explicit EulerAncestralSampler(const SamplerPlan& plan) : ExplodingSampler(plain(plan)) {}

    StepFacts facts(int step) const override {
        StepFacts facts = Sampler::facts(step);
        facts.draws = 1;
        facts.more = {{"up", up(step)}};
        return facts;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const override {
        const at::Tensor x = expand(state);
        state.denoised = clean_of(state, x, network);
        const double here = sigma(state.step), next = sigma(state.step + 1);
        const double down = std::sqrt(std::max(0.0, next * next - up(state.step) * up(state.step)));
        const at::Tensor below = x + (x - state.denoised) / here * (down - here);
        state.sample = contract(below + noise.normal(x.sizes()) * up(state.step), state.step);
    }

private:
    // The reference's scheduler has one spacing of sigmas and one end.
    static SamplerPlan plain(SamplerPlan plan) {
        plan.config.sigma_spacing = SigmaSpacing::plain;
        plan.config.final_sigma = FinalSigma::zero;
        return plan;
    }

    double up(int step) const {
        const double here = sigma(step), next = sigma(step + 1);
        return std::sqrt(next * next * (here * here - next * next) / (here * here));
    }
};

constexpr std::array<std::string_view, 2> settings{"timestep_spacing", "steps_offset"};

}  // namespace

extern const SamplerKind euler_ancestral_kind{
    .name = "euler-a",
    .class_name = "EulerAncestralDiscreteScheduler",
    .settings = settings,
    .takes_eta = false,
    .takes_lcm_strength = false,
    .set_defaults = [](SchedulerConfig& config) { config.timestep_spacing = TimestepSpacing::linspace; },
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<EulerAncestralSampler>(plan); }};

}  // namespace lcm
