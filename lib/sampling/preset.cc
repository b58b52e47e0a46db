#include "lib/sampling/preset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <span>

#include "lib/base/error.h"
#include "lib/base/text.h"

namespace lcm {
namespace {

using List = std::span<const std::int64_t>;

constexpr std::array<std::int64_t, 1> one_step{800};
constexpr std::array<std::int64_t, 4> four_steps{999, 749, 499, 249};

/// One family; lcm-facts, section 5, and the model cards.
struct Preset {
    std::string_view name, sampler;
    int steps;
    double guidance;
    std::optional<double> eta = {};
    std::optional<TimestepSpacing> spacing = {};
    List timesteps = {};
    std::optional<bool> clip_sample = {}, set_alpha_to_one = {};
};

constexpr auto trailing = TimestepSpacing::trailing;
constexpr std::array presets{
    Preset{.name = "lcm-lora", .sampler = "lcm", .steps = 4, .guidance = 1},
    Preset{.name = "tcd", .sampler = "tcd", .steps = 4, .guidance = 0, .eta = 0.3},
    Preset{.name = "turbo", .sampler = "euler-a", .steps = 1, .guidance = 0, .spacing = trailing},
    Preset{.name = "lightning", .sampler = "euler", .steps = 4, .guidance = 0, .spacing = trailing},
    Preset{.name = "hyper-sd", .sampler = "ddim", .steps = 8, .guidance = 0, .eta = 0, .spacing = trailing},
    Preset{.name = "hyper-sd-1step", .sampler = "lcm", .steps = 1, .guidance = 0, .timesteps = one_step},
    Preset{.name = "pcm",
           .sampler = "ddim",
           .steps = 4,
           .guidance = 1,
           .eta = 0,
           .spacing = trailing,
           .clip_sample = false,
           .set_alpha_to_one = false},
    Preset{.name = "dmd2", .sampler = "lcm", .steps = 4, .guidance = 0, .timesteps = four_steps},
};

const Preset& find(std::string_view name) {
    for (const Preset& preset : presets)
        if (preset.name == name) return preset;
    const std::string near = nearest(name, preset_names());
    throw Error(ExitCode::usage, "--preset", fmt::format("there is no preset \"{}\"", escape_control(name)),
                near.empty() ? fmt::format("use one of {}", fmt::join(preset_names(), ", ")) : fmt::format("did you mean {}?", near));
}

template <typename T, typename U>
void fill(std::optional<T>& open, const U& value) {
    if (!open) open = value;
}

}  // namespace

std::vector<std::string> preset_names() {
    std::vector<std::string> names;
    for (const Preset& preset : presets) names.emplace_back(preset.name);
    return names;
}

void apply_preset(std::string_view name, DenoiseRequest& request) {
    const Preset& preset = find(name);
    const int listed = static_cast<int>(preset.timesteps.size());
    if (listed > 0 && !request.timesteps) {
        if (request.steps.value_or(listed) != listed)
            throw Error(ExitCode::usage, "--preset", fmt::format("{} runs {} steps, not {}", name, listed, *request.steps),
                        "leave out --steps, or give --timesteps");
        request.timesteps.emplace(preset.timesteps.begin(), preset.timesteps.end());
    }
    fill(request.sampler, std::string(preset.sampler));
    if (!request.timesteps && !request.sigmas) fill(request.steps, preset.steps);
    fill(request.guidance, preset.guidance);
    fill(request.eta, preset.eta);
    fill(request.spacing, preset.spacing);
    fill(request.clip_sample, preset.clip_sample);
    fill(request.set_alpha_to_one, preset.set_alpha_to_one);
}

}  // namespace lcm
