#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/sampling/alpha_sampler.h"
#include "lib/sampling/spacing.h"

namespace lcm {
namespace {

/// Denoising diffusion probabilistic models (Ho 2020, eq. 7): the posterior mean
/// sqrt(a_prev) b / (1-a) x0 + sqrt(1-b) (1-a_prev) / (1-a) x, b = 1 - a/a_prev, and fresh noise except at timestep 0.
class DdpmSampler : public AlphaSampler {
public:
    explicit DdpmSampler(const SamplerPlan& plan)
        : AlphaSampler(plan, spaced_timesteps(plan.config, plan.steps, SpacingRule::whole), first_of_cut(plan)) {}

    StepFacts facts(int step) const override {
        StepFacts facts = Sampler::facts(step);
        facts.draws = draws(step) ? 1 : 0;
        facts.more = {{"s", std::sqrt(variance(step))}};
        return facts;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const override {
        const at::Tensor output = network(state.sample, timestep(state.step));
        const NoiseLevel here = level(state.step);
        state.denoised = limit_clean(predict_clean(config().prediction_type, state.sample, output, here), config());
        const double a = alpha(whole_timestep(state.step)), after = alpha_after(state.step), beta = beta_of(state.step);
        const double of_clean = std::sqrt(after) * beta / (1 - a), of_sample = std::sqrt(1 - beta) * (1 - after) / (1 - a);
        state.sample = state.denoised * of_clean + state.sample * of_sample;
        if (draws(state.step)) state.sample = state.sample + noise.normal(state.sample.sizes()) * std::sqrt(variance(state.step));
    }

private:
    bool draws(int step) const { return timestep(step) > 0; }
    // In float32, as in the reference: near alpha-bar 1 the difference keeps few digits.
    float alpha_after(int step) const { return is_last(step) ? 1.0F : alpha(whole_timestep(step + 1)); }
    float beta_of(int step) const { return 1.0F - alpha(whole_timestep(step)) / alpha_after(step); }

    double variance(int step) const {
        constexpr double smallest = 1e-20;
        if (config().variance_type == VarianceType::fixed_large) return beta_of(step);
        const double share = (1.0F - alpha_after(step)) / (1.0F - alpha(whole_timestep(step)));
        return std::max(share * beta_of(step), smallest);
    }
};

constexpr std::array<std::string_view, 8> settings{"thresholding",      "dynamic_thresholding_ratio", "sample_max_value", "clip_sample",
                                                   "clip_sample_range", "timestep_spacing",           "steps_offset",     "variance_type"};

}  // namespace

extern const SamplerKind ddpm_kind{
    .name = "ddpm",
    .class_name = "DDPMScheduler",
    .settings = settings,
    .takes_eta = false,
    .takes_lcm_strength = false,
    .set_defaults = [](SchedulerConfig& config) { config.clip_sample = true; },
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<DdpmSampler>(plan); }};

}  // namespace lcm
