#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/schedule.h"
#include "lib/sampling/scheduler_config.h"

namespace lcm {

/// What the command line asks of a picture; what is absent comes from the record when it was started before, else from the model.
struct DenoiseRequest {
    std::optional<std::int64_t> width, height;
    std::optional<int> steps;
    std::optional<double> guidance;
    std::optional<double> guidance_rescale;              ///< 0..1
    std::optional<std::string> sampler;                  ///< its name; "-karras" behind it spaces the sigmas so
    std::optional<double> eta;                           ///< 0..1
    std::optional<int> original_steps;                   ///< length of the distillation schedule (`original_inference_steps`)
    std::optional<std::vector<std::int64_t>> timesteps;  ///< a custom list, strictly descending
    std::optional<std::vector<double>> sigmas;           ///< custom noise levels, the one after the last step among them
    std::optional<TimestepSpacing> spacing;
    std::optional<SigmaSpacing> sigma_spacing;
    std::optional<bool> zero_snr;  ///< rescale betas to end without signal
    std::optional<bool> set_alpha_to_one, clip_sample;
    std::optional<double> token_merge;  ///< 0..0.75, `UNetInputs::token_merge`
    std::optional<int> reuse_deep;      ///< the whole UNet at every so many steps (`UNetInputs::deep`); 1: at each
    std::optional<double> strength;     ///< of the change to `latent.init`, above 0 and at most 1
    std::optional<Strength::Rule> strength_rule;
    std::optional<Rng> rng;
    std::optional<StartNoise> start_noise;
    std::int64_t rng_rows = 1, rng_row = 0;  ///< as in NoiseSource
    std::optional<int> from;                 ///< the step the record must stand at; resuming needs no flag
    std::optional<int> to;                   ///< stop after this many steps and save the state
    std::uint64_t seed = 0;                  ///< of this picture; a record already started keeps its own
};

}  // namespace lcm
