#pragma once

#include <optional>
#include <string_view>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/request.h"

namespace lcm {

/// How a program counts the layers of a text encoder that are skipped.
enum class ClipSkipCount {
    skipped,   ///< 0 is the last layer (diffusers)
    from_one,  ///< 1 is the last layer (A1111)
    from_end,  ///< -1 is the last layer (ComfyUI)
};

/// What differs between programs that run the same model with the same settings (lcm-facts, sections 3, 6 and 8).
struct Convention {
    std::string_view name;
    Rng rng;
    StartNoise start_noise;
    std::optional<Strength::Rule> strength_rule;  ///< nothing: lcm for models with a guidance embedding, cut for others
    ClipSkipCount clip_skip;
};

/// The convention called `name`, one of "diffusers", "a1111" and "comfy". @throws Error(usage)
const Convention& convention(std::string_view name);

/// Sets what the request leaves open.
void apply(const Convention& convention, DenoiseRequest& request);

/// The names of `Rng` in records and flags. @throws Error(usage) at `where` for another one
std::string_view name_of(Rng rng);
Rng rng_by_name(std::string_view name, std::string_view where);

/// The names of `Strength::Rule`. @throws Error(usage) at `where` for another one
std::string_view name_of(Strength::Rule rule);
Strength::Rule rule_by_name(std::string_view name, std::string_view where);

}  // namespace lcm
