#include <ATen/TensorOperators.h>

#include <array>
#include <cmath>

#include "lib/sampling/alpha_sampler.h"

namespace lcm {
namespace {

/// c_skip = .25 / (s^2 + .25), c_out = s / sqrt(s^2 + .25), s = timestep * timestep_scaling (lcm-facts, section 1).
struct Boundary {
    float skip, out;

    Boundary(double timestep, double scaling) {
        constexpr float sigma_data = 0.5F;
        const float scaled = static_cast<float>(timestep) * static_cast<float>(scaling);
        const float sum = scaled * scaled + sigma_data * sigma_data;
        skip = sigma_data * sigma_data / sum;
        out = scaled / std::sqrt(sum);
    }
};

/// Multistep consistency sampling: x0 from the network, the boundary scalings, and fresh noise up to the next timestep
/// (lcm-facts, section 1). The last step returns the denoised sample and draws nothing.
class LcmSampler : public AlphaSampler {
public:
    explicit LcmSampler(const SamplerPlan& plan) : LcmSampler(plan, lcm_timesteps(plan.config, plan.steps, plan.strength)) {}

    StepFacts facts(int step) const override {
        StepFacts facts = Sampler::facts(step);
        const Boundary boundary(facts.timestep, config().timestep_scaling);
        facts.draws = is_last(step) ? 0 : 1;
        facts.more = {{"c_skip", boundary.skip}, {"c_out", boundary.out}};
        return facts;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const override {
        const double here = timestep(state.step);
        const at::Tensor output = network(state.sample, here);
        const at::Tensor clean = limit_clean(predict_clean(config().prediction_type, state.sample, output, level(state.step)), config());
        const Boundary boundary(here, config().timestep_scaling);
        state.denoised = clean * boundary.out + state.sample * boundary.skip;
        state.sample =
            is_last(state.step) ? state.denoised : add_noise(state.denoised, noise.normal(state.denoised.sizes()), level(state.step + 1));
    }

private:
    LcmSampler(const SamplerPlan& plan, const std::vector<std::int64_t>& timesteps)
        : AlphaSampler(plan, {timesteps.begin(), timesteps.end()}, 0) {}
};

constexpr std::array<std::string_view, 7> settings{
    "thresholding",      "dynamic_thresholding_ratio", "sample_max_value",        "clip_sample",
    "clip_sample_range", "timestep_scaling",           "original_inference_steps"};

}  // namespace

extern const SamplerKind lcm_kind{
    .name = "lcm",
    .class_name = "LCMScheduler",
    .settings = settings,
    .takes_eta = false,
    .takes_lcm_strength = true,
    .set_defaults = [](SchedulerConfig&) {},
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<LcmSampler>(plan); }};

}  // namespace lcm
