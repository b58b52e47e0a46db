#include <ATen/TensorOperators.h>

#include <array>
#include <cmath>

#include "lib/sampling/alpha_sampler.h"

namespace lcm {
namespace {

/// Trajectory consistency sampling: a step to s = floor((1-eta) * next), sqrt(a_s) x0 + sqrt(1-a_s) e, and fresh noise from there to the
/// next timestep (lcm-facts, section 4). The last step ends at alpha-bar of timestep 0, not at 1, and draws nothing.
class TcdSampler : public AlphaSampler {
public:
    explicit TcdSampler(const SamplerPlan& plan) : TcdSampler(plan, lcm_timesteps(plan.config, plan.steps, plan.strength)) {}

    StepFacts facts(int step) const override {
        StepFacts facts = Sampler::facts(step);
        facts.draws = draws(step) ? 1 : 0;
        facts.more = {{"s", static_cast<double>(target(step))}};
        return facts;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const override {
        const NoiseLevel here = level(state.step), there = level_of_alpha(alpha(target(state.step)));
        const at::Tensor output = network(state.sample, timestep(state.step));
        state.denoised = predict_clean(config().prediction_type, state.sample, output, here);
        const at::Tensor direction = predict_noise(config().prediction_type, state.sample, output, here);
        const at::Tensor reached = add_noise(state.denoised, direction, there);
        if (!draws(state.step)) {
            state.sample = reached;
            return;
        }
        const float ratio = alpha(next(state.step)) / alpha(target(state.step));
        state.sample = add_noise(reached, noise.normal(reached.sizes()), level_of_alpha(ratio));
    }

private:
    TcdSampler(const SamplerPlan& plan, const std::vector<std::int64_t>& timesteps)
        : AlphaSampler(plan, {timesteps.begin(), timesteps.end()}, 0) {}

    std::int64_t next(int step) const { return is_last(step) ? 0 : whole_timestep(step + 1); }
    // In float32, as the reference's tensors: 1 - 0.3 times a timestep can fall below a whole number otherwise.
    std::int64_t target(int step) const {
        return static_cast<std::int64_t>(std::floor(static_cast<float>(1 - plan().eta) * static_cast<float>(next(step))));
    }
    bool draws(int step) const { return plan().eta > 0 && !is_last(step); }
};

constexpr std::array<std::string_view, 2> settings{"every_timestep", "original_inference_steps"};

}  // namespace

extern const SamplerKind tcd_kind{
    .name = "tcd",
    .class_name = "TCDScheduler",
    .settings = settings,
    .takes_eta = true,
    .takes_lcm_strength = true,
    .set_defaults = [](SchedulerConfig&) {},
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<TcdSampler>(plan); }};

}  // namespace lcm
