#include "lib/sampling/lcm_sampler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/quantile.h>
#include <fmt/format.h>

#include <cmath>

#include "lib/base/error.h"

namespace lcm {
namespace {

/// Dynamic thresholding, per picture: clamp to the quantile of |x0| and divide by it.
at::Tensor threshold(const at::Tensor& clean, const SchedulerConfig& config) {
    const at::Tensor flat = clean.reshape({clean.size(0), -1});
    const at::Tensor quantile = at::quantile(at::abs(flat), config.dynamic_thresholding_ratio, 1, /*keepdim=*/true);
    const at::Tensor limit = at::clamp(quantile, 1.0, config.sample_max_value);
    return (at::clamp(flat, -limit, limit) / limit).reshape(clean.sizes());
}

}  // namespace

LcmSampler::LcmSampler(const SchedulerConfig& config, int steps, const Strength& strength)
    : config_(config), alphas_(alphas_cumprod(config)), timesteps_(lcm_timesteps(config, steps, strength)) {
    for (const std::int64_t timestep : timesteps_) {
        if (config_.prediction_type == PredictionType::epsilon && alpha(timestep) == 0) {
            throw Error(ExitCode::data, "schedule",
                        fmt::format("epsilon prediction is undefined at timestep {}, where zero-SNR betas leave no signal", timestep),
                        "use a model with v_prediction, or custom timesteps below it");
        }
    }
}

std::unique_ptr<Sampler> LcmSampler::make(const SchedulerConfig& config, int steps) { return std::make_unique<LcmSampler>(config, steps); }

// Products and sums stay separate operations, as in the reference: a fused multiply-add rounds differently.
at::Tensor LcmSampler::predict_clean(const at::Tensor& sample, const at::Tensor& output, std::int64_t timestep) const {
    const float signal = std::sqrt(alpha(timestep)), noise = std::sqrt(1.0F - alpha(timestep));
    switch (config_.prediction_type) {
        case PredictionType::epsilon:
            return (sample - output * noise) / signal;
        case PredictionType::sample:
            return output;
        case PredictionType::v_prediction:
            return sample * signal - output * noise;
    }
    throw Error(ExitCode::software, "schedule", "unknown prediction type");
}

at::Tensor LcmSampler::limit(const at::Tensor& clean) const {
    if (config_.thresholding) return threshold(clean, config_);
    if (config_.clip_sample) return at::clamp(clean, -config_.clip_sample_range, config_.clip_sample_range);
    return clean;
}

at::Tensor LcmSampler::apply_boundary(const at::Tensor& clean, const at::Tensor& sample, std::int64_t timestep) const {
    constexpr float sigma_data = 0.5F;
    const float scaled = static_cast<float>(timestep) * static_cast<float>(config_.timestep_scaling);
    const float sum = scaled * scaled + sigma_data * sigma_data;
    const float c_skip = sigma_data * sigma_data / sum, c_out = scaled / std::sqrt(sum);
    return clean * c_out + sample * c_skip;
}

void LcmSampler::step(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const {
    const auto index = static_cast<std::size_t>(state.step);
    if (index >= timesteps_.size()) throw Error(ExitCode::software, "sampler", "a step past the last was asked for");
    const std::int64_t timestep = timesteps_[index];
    const at::Tensor output = network(state.sample, timestep);
    const at::Tensor clean = limit(predict_clean(state.sample, output, timestep));
    state.denoised = apply_boundary(clean, state.sample, timestep);
    const bool last = index + 1 == timesteps_.size();
    state.sample = last ? state.denoised : add_noise(state.denoised, noise.normal(state.denoised.sizes()), timesteps_[index + 1]);
    ++state.step;
}

at::Tensor LcmSampler::add_noise(const at::Tensor& clean, const at::Tensor& noise, std::int64_t timestep) const {
    return clean * std::sqrt(alpha(timestep)) + noise * std::sqrt(1.0F - alpha(timestep));
}

}  // namespace lcm
