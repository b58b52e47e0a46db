#include "lib/sampling/convention.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/text.h"

namespace lcm {
namespace {

constexpr std::array conventions{
    Convention{"diffusers", Rng::torch_cpu, StartNoise::own, std::nullopt, ClipSkipCount::skipped},
    Convention{"a1111", Rng::philox, StartNoise::sigma_max, Strength::Rule::cut, ClipSkipCount::from_one},
    Convention{"comfy", Rng::torch_cpu, StartNoise::unit_variance, Strength::Rule::cut, ClipSkipCount::from_end},
};

constexpr std::array<std::pair<std::string_view, Rng>, 2> rngs{{{"torch-cpu", Rng::torch_cpu}, {"philox", Rng::philox}}};
constexpr std::array<std::pair<std::string_view, Strength::Rule>, 2> rules{{{"lcm", Strength::Rule::lcm}, {"cut", Strength::Rule::cut}}};

[[noreturn]] void refuse(std::string_view where, std::string_view name, const std::string& known) {
    throw Error(ExitCode::usage, std::string(where), fmt::format("\"{}\" is not known", escape_control(name)), "use " + known);
}

template <typename T>
std::string_view find_name(const std::array<std::pair<std::string_view, T>, 2>& names, T value) {
    return names[0].second == value ? names[0].first : names[1].first;
}

template <typename T>
T find_value(const std::array<std::pair<std::string_view, T>, 2>& names, std::string_view name, std::string_view where) {
    for (const auto& [known, value] : names)
        if (known == name) return value;
    refuse(where, name, fmt::format("{} or {}", names[0].first, names[1].first));
}

}  // namespace

const Convention& convention(std::string_view name) {
    for (const Convention& one : conventions)
        if (one.name == name) return one;
    refuse("--like", name, "diffusers, a1111 or comfy");
}

void apply(const Convention& convention, DenoiseRequest& request) {
    if (!request.rng) request.rng = convention.rng;
    if (!request.start_noise) request.start_noise = convention.start_noise;
    if (!request.strength_rule) request.strength_rule = convention.strength_rule;
}

std::string_view name_of(Rng rng) { return find_name(rngs, rng); }
Rng rng_by_name(std::string_view name, std::string_view where) { return find_value(rngs, name, where); }
std::string_view name_of(Strength::Rule rule) { return find_name(rules, rule); }
Strength::Rule rule_by_name(std::string_view name, std::string_view where) { return find_value(rules, name, where); }

}  // namespace lcm
