#include "lib/sampling/sigma_sampler.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

namespace lcm {

double SigmaSampler::start_scale() const {
    return config().start_noise == StartNoise::sigma_max ? level_of_sigma(sigmas_.front()).noise : 1;
}

ExplodingSampler::ExplodingSampler(const SamplerPlan& plan)
    : SigmaSampler(plan, {.spacing = SpacingRule::fractional, .own_range = true, .rounding = TimestepRounding::none}) {}

double ExplodingSampler::start_scale() const {
    const bool own = config().start_noise == StartNoise::own;
    if (own && config().timestep_spacing != TimestepSpacing::leading) return level_of_sigma(sigmas().front()).noise;
    return SigmaSampler::start_scale();
}

at::Tensor ExplodingSampler::expand(const SamplerState& state) const {
    return state.sample * std::sqrt(sigma(state.step) * sigma(state.step) + 1);
}

at::Tensor ExplodingSampler::contract(const at::Tensor& expanded, int step) const {
    return expanded / std::sqrt(sigma(step + 1) * sigma(step + 1) + 1);
}

at::Tensor ExplodingSampler::clean_of(const SamplerState& state, const at::Tensor& expanded, const DenoiseFunction& network) const {
    const double level = sigma(state.step), variance = level * level + 1;
    const at::Tensor output = network(state.sample, timestep(state.step));
    switch (config().prediction_type) {
        case PredictionType::epsilon:
            return expanded - output * level;
        case PredictionType::sample:
            return output;
        case PredictionType::v_prediction:
            return output * (-level / std::sqrt(variance)) + expanded / variance;
    }
    throw Error(ExitCode::software, "schedule", "unknown prediction type");
}

}  // namespace lcm
