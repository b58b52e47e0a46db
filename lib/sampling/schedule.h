#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/sampling/scheduler_config.h"

namespace lcm {

/// How strongly a start picture is changed, and which of its meanings that has (lcm-facts, section 3).
struct Strength {
    enum class Rule {
        lcm,      ///< shortens the distillation schedule; every step runs
        cut,      ///< keeps the last int(steps * value) steps of the whole schedule
        stretch,  ///< every step runs: they are the last of a schedule of int(steps / value) (ComfyUI's denoise)
    };
    Rule rule = Rule::lcm;
    double value = 1.0;  ///< in (0,1]; 1 is the whole schedule
};

/// Betas of the training timesteps, in float32 and equal to the reference's bit for bit; within 1e-6 with zero-SNR rescaling, where
/// the reference's own vectorised square root differs between processors.
std::vector<float> betas(const SchedulerConfig& config);

/// Cumulative products of 1 - beta (alpha-bar), accumulated in double and kept in float32 as the reference does.
/// @throws Error(data) when they leave [0,1]
std::vector<float> alphas_cumprod(const SchedulerConfig& config);

/// @throws Error(usage) unless there is a step, and strength lies above 0 and at most at 1
void check_steps(int steps, const Strength& strength);

/// Steps of the whole schedule when `steps` are asked for: more of them under the rule "stretch".
int whole_steps(int steps, const Strength& strength);

/// How many of the `steps` of a whole schedule are kept, from its end: int(steps * value); under the rule "stretch" the number that it was
/// made for. @throws Error(usage) when that is none
int kept_steps(int steps, const Strength& strength);

/// The custom list of `config`. @throws Error(usage) unless it has that many training timesteps, descending
std::vector<std::int64_t> custom_timesteps(const SchedulerConfig& config, int steps);

/// The timesteps a run visits, descending: the custom list of `config` where there is one (`steps` must be its length), else the rule of
/// the LCM scheduler (lcm-facts, section 1). At strength below 1 a custom list keeps its last int(steps * value) values under both rules.
/// @throws Error(usage) when the numbers do not fit each other
std::vector<std::int64_t> lcm_timesteps(const SchedulerConfig& config, int steps, const Strength& strength = {});

/// What is unusual about the custom timesteps of `config`, one sentence each; nothing without a custom list.
std::vector<std::string> timestep_warnings(const SchedulerConfig& config, const Strength& strength = {});

}  // namespace lcm
