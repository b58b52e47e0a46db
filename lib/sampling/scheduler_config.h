#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/json.h"

namespace lcm {

/// How betas run from `beta_start` to `beta_end` over the training timesteps.
enum class BetaSchedule { linear, scaled_linear, squaredcos_cap_v2 };

/// What the network's output is.
enum class PredictionType { epsilon, sample, v_prediction };

/// The settings of the LCM scheduler: `scheduler_config.json` of a model, and `lcm.schedule` of a record.
struct SchedulerConfig {
    int num_train_timesteps = 1000;
    double beta_start = 0.00085, beta_end = 0.012;
    BetaSchedule beta_schedule = BetaSchedule::scaled_linear;
    std::vector<double> trained_betas;  ///< one a training timestep, in place of a beta schedule; empty: none
    bool rescale_betas_zero_snr = false;
    PredictionType prediction_type = PredictionType::epsilon;
    bool thresholding = false;  ///< dynamic thresholding; wins over clipping
    double dynamic_thresholding_ratio = 0.995, sample_max_value = 1.0;
    bool clip_sample = false;
    double clip_sample_range = 1.0;
    double timestep_scaling = 10.0;       ///< of the boundary scalings c_skip and c_out
    int original_inference_steps = 50;    ///< length of the distillation schedule
    std::vector<std::int64_t> timesteps;  ///< a custom list in place of the rule; empty: none

    /// Reads the settings; absent ones have the defaults above. The configuration of another scheduler class lends its betas, prediction
    /// type, thresholding and clipping and must name its betas, since its defaults are others.
    /// @throws Error(data) naming the key: a value or, for the LCM scheduler, a key that is not implemented, or a number out of range
    static SchedulerConfig from_json(const Json& json);

    /// Every setting that affects the result as one canonical JSON object with sorted keys; `from_json` reads it back.
    std::string to_json() const;
};

}  // namespace lcm
