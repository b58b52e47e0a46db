#include "lib/sampling/prediction.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/quantile.h>

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

[[noreturn]] void unknown() { throw Error(ExitCode::software, "schedule", "unknown prediction type"); }

}  // namespace

NoiseLevel level_of_alpha(float alpha) { return {std::sqrt(alpha), std::sqrt(1.0F - alpha)}; }

NoiseLevel level_of_sigma(double sigma) {
    const double signal = 1 / std::sqrt(sigma * sigma + 1);
    return {signal, sigma * signal};
}

// Products and sums stay separate operations, as in the reference: a fused multiply-add rounds differently.
at::Tensor predict_clean(PredictionType type, const at::Tensor& sample, const at::Tensor& output, const NoiseLevel& level) {
    switch (type) {
        case PredictionType::epsilon:
            return (sample - output * level.noise) / level.signal;
        case PredictionType::sample:
            return output;
        case PredictionType::v_prediction:
            return sample * level.signal - output * level.noise;
    }
    unknown();
}

at::Tensor predict_noise(PredictionType type, const at::Tensor& sample, const at::Tensor& output, const NoiseLevel& level) {
    switch (type) {
        case PredictionType::epsilon:
            return output;
        case PredictionType::sample:
            return (sample - output * level.signal) / level.noise;
        case PredictionType::v_prediction:
            return output * level.signal + sample * level.noise;
    }
    unknown();
}

at::Tensor limit_clean(const at::Tensor& clean, const SchedulerConfig& config) {
    if (config.thresholding) return threshold(clean, config);
    if (config.clip_sample) return at::clamp(clean, -config.clip_sample_range, config.clip_sample_range);
    return clean;
}

at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, const NoiseLevel& level) {
    return clean * level.signal + noise * level.noise;
}

}  // namespace lcm
