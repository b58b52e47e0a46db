#include "lib/sampling/sampler.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>

#include "lib/base/text.h"
#include "lib/stream/keys.h"

// Every sampler, one line each: its `SamplerKind` stands in a file of its own.
#define LCM_SAMPLERS(X) \
    X(lcm)              \
    X(tcd)              \
    X(ddim)             \
    X(ddpm)             \
    X(pndm)             \
    X(euler)            \
    X(euler_ancestral)  \
    X(dpmpp_2m)         \
    X(unipc)

namespace lcm {

#define LCM_DECLARE(name) extern const SamplerKind name##_kind;
LCM_SAMPLERS(LCM_DECLARE)

namespace {

#define LCM_LIST(name) &name##_kind,
constexpr std::array kinds{LCM_SAMPLERS(LCM_LIST)};

}  // namespace

Sampler::Sampler(SamplerPlan plan, std::vector<double> whole_schedule, int first)
    : plan_(std::move(plan)), first_(first), timesteps_(whole_schedule.begin() + first, whole_schedule.end()) {}

void Sampler::step(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const {
    if (state.step >= std::ssize(timesteps_)) throw Error(ExitCode::software, "sampler", "a step past the last was asked for");
    advance(state, network, noise);
    ++state.step;
}

StepFacts Sampler::facts(int step) const {
    const NoiseLevel here = level(step);
    const double sigma = here.noise / here.signal;
    return {timestep(step), 1 / (1 + sigma * sigma), sigma};
}

std::span<const SamplerKind* const> sampler_kinds() { return kinds; }

const SamplerKind& sampler_kind(std::string_view name, ExitCode code, std::string_view where) {
    std::vector<std::string> names;
    for (const SamplerKind* kind : kinds) {
        if (kind->name == name) return *kind;
        names.emplace_back(kind->name);
    }
    const std::string near = nearest(name, names);
    throw Error(code, std::string(where), fmt::format("there is no sampler \"{}\"", escape_control(name)),
                near.empty() ? fmt::format("use one of {}", fmt::join(names, ", ")) : fmt::format("did you mean {}?", near));
}

std::unique_ptr<Sampler> make_sampler(std::string_view name, const SamplerPlan& plan) {
    const SamplerKind& kind = sampler_kind(name, ExitCode::data, key::sampler);
    check_steps(plan.steps, plan.strength);
    const bool whole = plan.strength.value == 1;
    if (!whole && plan.strength.rule == Strength::Rule::lcm && !kind.takes_lcm_strength)
        throw Error(ExitCode::usage, "schedule", fmt::format("the strength rule lcm has no meaning for the sampler {}", name),
                    "use the rule cut");
    if (!kind.takes_eta && plan.eta != 0)
        throw Error(ExitCode::usage, "eta", fmt::format("has no meaning for the sampler {}", name), "leave it out");
    if (!(plan.eta >= 0 && plan.eta <= 1)) throw Error(ExitCode::usage, "eta", "must lie in 0..1");
    return kind.make(plan);
}

SchedulerConfig settings_for_sampler(const SamplerKind& kind, const Json& json) {
    SchedulerConfig defaults;
    kind.set_defaults(defaults);
    return SchedulerConfig::from_json(json, defaults);
}

int first_of_cut(const SamplerPlan& plan) { return plan.steps - kept_steps(plan.steps, plan.strength); }

}  // namespace lcm
