#include <ATen/TensorOperators.h>

#include <array>
#include <cmath>

#include "lib/sampling/alpha_sampler.h"
#include "lib/sampling/spacing.h"

namespace lcm {
namespace {

/// Denoising diffusion implicit models (Song 2020, eq. 12): x = sqrt(a_prev) x0 + sqrt(1 - a_prev - s^2) e + s z with
/// s = eta * sqrt((1-a_prev)/(1-a) * (1 - a/a_prev)). The previous timestep lies T/n below, as in diffusers' DDIMScheduler; in a custom
/// list it is the next one.
class DdimSampler : public AlphaSampler {
public:
    explicit DdimSampler(const SamplerPlan& plan)
        : AlphaSampler(plan, spaced_timesteps(plan.config, plan.steps, SpacingRule::whole), first_of_cut(plan)) {}

    StepFacts facts(int step) const override {
        StepFacts facts = Sampler::facts(step);
        facts.draws = plan().eta > 0 ? 1 : 0;
        facts.more = {{"s", spread(step)}};
        return facts;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const override {
        const NoiseLevel here = level(state.step);
        const at::Tensor output = network(state.sample, timestep(state.step));
        state.denoised = limit_clean(predict_clean(config().prediction_type, state.sample, output, here), config());
        const at::Tensor direction = predict_noise(config().prediction_type, state.sample, output, here);
        const double s = spread(state.step), after = alpha_after(state.step);
        state.sample = add_noise(state.denoised, direction, {std::sqrt(after), std::sqrt(std::max(0.0, 1 - after - s * s))});
        if (plan().eta > 0) state.sample = state.sample + noise.normal(state.sample.sizes()) * s;
    }

private:
    double alpha_after(int step) const {
        if (!config().timesteps.empty()) return alpha_or_final(is_last(step) ? -1 : whole_timestep(step + 1));
        return alpha_or_final(whole_timestep(step) - config().num_train_timesteps / plan().steps);
    }

    double spread(int step) const {
        const double here = alpha(whole_timestep(step)), after = alpha_after(step);
        return plan().eta * std::sqrt((1 - after) / (1 - here) * (1 - here / after));
    }
};

constexpr std::array<std::string_view, 8> settings{
    "thresholding",      "dynamic_thresholding_ratio", "sample_max_value", "clip_sample",
    "clip_sample_range", "timestep_spacing",           "steps_offset",     "set_alpha_to_one"};

}  // namespace

extern const SamplerKind ddim_kind{
    .name = "ddim",
    .class_name = "DDIMScheduler",
    .settings = settings,
    .takes_eta = true,
    .takes_lcm_strength = false,
    .set_defaults = [](SchedulerConfig& config) { config.clip_sample = true; },
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<DdimSampler>(plan); }};

}  // namespace lcm
