#include "lib/sampling/alpha_sampler.h"

#include <fmt/format.h>

#include "lib/base/error.h"

namespace lcm {

AlphaSampler::AlphaSampler(const SamplerPlan& plan, const std::vector<double>& whole_schedule, int first)
    : Sampler(plan, whole_schedule, first), alphas_(alphas_cumprod(plan.config)) {
    for (const double timestep : timesteps()) {
        if (config().prediction_type != PredictionType::epsilon || alpha(static_cast<std::int64_t>(timestep)) != 0) continue;
        throw Error(ExitCode::data, "schedule",
                    fmt::format("epsilon prediction is undefined at timestep {}, where zero-SNR betas leave no signal", timestep),
                    "use a model with v_prediction, or custom timesteps below it");
    }
}

NoiseLevel AlphaSampler::level(int step) const {
    if (step >= std::ssize(timesteps())) return {};
    return level_of_alpha(alpha(whole_timestep(step)));
}

double AlphaSampler::start_scale() const { return config().start_noise == StartNoise::sigma_max ? level(0).noise : 1; }

float AlphaSampler::alpha_or_final(std::int64_t timestep) const {
    if (timestep >= 0) return alpha(timestep);
    return config().set_alpha_to_one ? 1.0F : alphas_.front();
}

}  // namespace lcm
