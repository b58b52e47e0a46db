#include <ATen/TensorOperators.h>

#include <array>

#include "lib/sampling/sigma_sampler.h"

namespace lcm {
namespace {

/// Euler's method on the probability flow ODE (Karras 2022, algorithm 1): x + (x - x0) / sigma * (sigma_next - sigma).
class EulerSampler : public ExplodingSampler {
public:
    explicit EulerSampler(const SamplerPlan& plan) : ExplodingSampler(plan) {}

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& /*noise*/) const override {
        const at::Tensor x = expand(state);
        state.denoised = clean_of(state, x, network);
        const double here = sigma(state.step), next = sigma(state.step + 1);
        state.sample = contract(x + (x - state.denoised) / here * (next - here), state.step);
    }
};

constexpr std::array<std::string_view, 6> settings{"timestep_spacing",       "steps_offset",    "use_karras_sigmas",
                                                   "use_exponential_sigmas", "use_beta_sigmas", "final_sigmas_type"};

}  // namespace

extern const SamplerKind euler_kind{
    .name = "euler",
    .class_name = "EulerDiscreteScheduler",
    .settings = settings,
    .takes_eta = false,
    .takes_lcm_strength = false,
    .set_defaults = [](SchedulerConfig& config) { config.timestep_spacing = TimestepSpacing::linspace; },
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<EulerSampler>(plan); }};

}  // namespace lcm
