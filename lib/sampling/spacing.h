#pragma once

#include <vector>

#include "lib/sampling/scheduler_config.h"

namespace lcm {

/// How a sampler of the reference picks its timesteps from the training timesteps.
enum class SpacingRule {
    whole,       ///< `steps` whole numbers (DDIM, DDPM, PNDM)
    fractional,  ///< as `whole`, but the spacing linspace stays fractional (Euler)
    inner,       ///< one number more than steps, without the lowest (DPM++, UniPC)
};

/// The timesteps of the whole schedule, descending; the custom list where `config` has one.
///
/// T training timesteps, n steps: leading i * floor(T/n) + offset, trailing round(T - i * T/n) - 1, linspace both ends and evenly between
/// them; halves are rounded to even (diffusers, `set_timesteps` of each scheduler).
/// @throws Error(usage) when there are more steps than timesteps, or a timestep would lie beyond the last
std::vector<double> spaced_timesteps(const SchedulerConfig& config, int steps, SpacingRule rule);

}  // namespace lcm
