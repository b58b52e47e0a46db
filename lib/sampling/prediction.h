#pragma once

#include <ATen/core/Tensor.h>

#include "lib/sampling/scheduler_config.h"

namespace lcm {

/// How much of a sample is picture and how much is noise: sample = signal * clean + noise * normal, sqrt(a) and sqrt(1-a).
struct NoiseLevel {
    double signal = 1, noise = 0;
};

/// The level sqrt(a), sqrt(1-a) of a float32 alpha-bar.
NoiseLevel level_of_alpha(float alpha);
/// The same of sigma = sqrt((1-a)/a).
NoiseLevel level_of_sigma(double sigma);

/// The clean latent x0 that the network's output for a sample of that level means: (x - sqrt(1-a) e) / sqrt(a) for epsilon, e for
/// `sample`, sqrt(a) x - sqrt(1-a) e for v_prediction (lcm-facts, section 1).
at::Tensor predict_clean(PredictionType type, const at::Tensor& sample, const at::Tensor& output, const NoiseLevel& level);

/// The noise that it means: e, (x - sqrt(a) e) / sqrt(1-a), sqrt(a) e + sqrt(1-a) x (lcm-facts, section 4).
at::Tensor predict_noise(PredictionType type, const at::Tensor& sample, const at::Tensor& output, const NoiseLevel& level);

/// x0 after dynamic thresholding, else after clipping, where the settings ask for one of them (lcm-facts, section 1).
at::Tensor limit_clean(const at::Tensor& clean, const SchedulerConfig& config);

/// A clean latent carried to a noise level.
at::Tensor add_noise(const at::Tensor& clean, const at::Tensor& noise, const NoiseLevel& level);

}  // namespace lcm
