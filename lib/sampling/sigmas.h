#pragma once

#include <vector>

#include "lib/sampling/scheduler_config.h"
#include "lib/sampling/spacing.h"

namespace lcm {

/// A schedule of noise levels sigma = sqrt((1-a)/a), descending, and the timestep that the network is told at each.
struct SigmaSchedule {
    std::vector<double> timesteps;  ///< one a step; may be fractional
    std::vector<double> sigmas;     ///< one a step and the one after the last, float32 values
};

/// How a sampler makes timesteps of noise levels that no training timestep has.
enum class TimestepRounding {
    none,    ///< fractional (Euler)
    karras,  ///< cut to whole numbers; those of Karras and Lu are rounded first, unless the betas are a cosine (DPM++)
    always,  ///< cut to whole numbers; those of Karras are rounded first (UniPC)
};

/// What tells the schedules of two samplers apart.
struct SigmaRules {
    SpacingRule spacing;
    bool own_range;  ///< the spacings of sigmas run between the ends of the plain schedule, not of training
    TimestepRounding rounding;
};

/// Noise levels of the training timesteps, ascending; zero-SNR betas end at alpha-bar 2^-24 in place of 0, as in the reference.
std::vector<float> training_sigmas(const SchedulerConfig& config);

/// The whole schedule. Karras: (s_max^(1/7) + r (s_min^(1/7) - s_max^(1/7)))^7 over r in [0,1]; exponential: even in log sigma; beta: by
/// the quantiles of Beta(0.6, 0.6); lu: even in log sigma over the training range (diffusers, `_convert_to_*`).
/// @throws Error(usage) as `spaced_timesteps`, and for custom timesteps together with a spacing of sigmas
SigmaSchedule sigma_schedule(const SchedulerConfig& config, int steps, const SigmaRules& rules);

}  // namespace lcm
