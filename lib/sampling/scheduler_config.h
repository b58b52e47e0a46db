#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"

namespace lcm {

/// How betas run from `beta_start` to `beta_end` over the training timesteps.
enum class BetaSchedule { linear, scaled_linear, squaredcos_cap_v2 };

/// What the network's output is.
enum class PredictionType { epsilon, sample, v_prediction };

/// Which of the training timesteps a run visits: from the lowest up, from the highest down, or both ends and evenly between them.
enum class TimestepSpacing { leading, trailing, linspace };

/// How noise levels lie between the highest and the lowest: at the spaced timesteps, or by a rule of their own.
enum class SigmaSpacing { plain, karras, exponential, beta, lu };

/// The noise level after the last step: none, or that of the first training timestep.
enum class FinalSigma { zero, sigma_min };

/// The update formula of a multistep solver: midpoint and heun of DPM++, bh1 and bh2 of UniPC.
enum class SolverType { midpoint, heun, bh1, bh2 };

/// Variance of the noise that DDPM adds: of the posterior, or beta itself.
enum class VarianceType { fixed_small, fixed_large };

/// The scale of the start noise: the sampler's own rule, the highest noise level, or that level with the variance of the picture added.
/// For samplers whose samples keep their variance, the second is sqrt(1 - alpha-bar) and the third 1 (lcm-facts, section 6).
enum class StartNoise { own, sigma_max, unit_variance };

/// The settings of every sampler: `scheduler_config.json` of a model, and `lcm.schedule` of a record. A sampler reads some of them.
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

    double timestep_scaling = 10.0;     ///< of the boundary scalings c_skip and c_out
    int original_inference_steps = 50;  ///< length of the distillation schedule
    bool every_timestep = false;        ///< TCD with a length of the caller's: its schedule is picked from every training timestep

    TimestepSpacing timestep_spacing = TimestepSpacing::leading;
    int steps_offset = 0;          ///< added to the timesteps of the spacing "leading"
    bool set_alpha_to_one = true;  ///< alpha-bar beyond the last step is 1, not that of timestep 0
    bool skip_prk_steps = false;   ///< PNDM begins without its Runge-Kutta steps
    VarianceType variance_type = VarianceType::fixed_small;

    SigmaSpacing sigma_spacing = SigmaSpacing::plain;
    FinalSigma final_sigma = FinalSigma::zero;
    int solver_order = 2;  ///< 1..3
    SolverType solver_type = SolverType::midpoint;
    bool stochastic = false;  ///< `algorithm_type` "sde-dpmsolver++"
    bool lower_order_final = true, euler_at_final = false;
    std::vector<std::int64_t> disable_corrector;  ///< steps of UniPC whose sample is not corrected

    std::vector<std::int64_t> timesteps;  ///< a custom list in place of the rule; empty: none
    std::vector<double> sigmas;           ///< custom noise levels, the one after the last step among them; empty: none

    // Settings of a run, not of a model.
    int num_inference_steps = 0;  ///< steps of the whole schedule where a run takes another number; 0: as many
    double guidance_rescale = 0;  ///< how far the guided output gets the spread of the conditional one, 0..1
    StartNoise start_noise = StartNoise::own;
    std::int64_t rng_rows = 1, rng_row = 0;  ///< pictures that share one generator, and which of them this is

    /// Reads the settings; absent ones are those of `defaults`. The configuration of another scheduler class than LCM or TCD must name its
    /// betas, since its defaults are others, and may hold keys that no sampler here reads.
    /// @throws Error(data) naming the key: a value or, for the LCM scheduler, a key that is not implemented, or a number out of range
    static SchedulerConfig from_json(const Json& json, const SchedulerConfig& defaults);
    static SchedulerConfig from_json(const Json& json);

    /// The noise schedule, the `keys` and what is set for the run as one canonical JSON object with sorted keys; `from_json` reads it back.
    std::string to_json(std::span<const std::string_view> keys) const;
};

}  // namespace lcm
