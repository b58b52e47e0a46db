#include "lib/sampling/convention.h"

#include <fmt/format.h>

#include <algorithm>
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
    Convention{"comfy", Rng::torch_cpu, StartNoise::unit_variance, Strength::Rule::stretch, ClipSkipCount::from_end},
};

constexpr std::array<std::pair<std::string_view, Rng>, 2> rngs{{{"torch-cpu", Rng::torch_cpu}, {"philox", Rng::philox}}};
constexpr std::array<std::pair<std::string_view, Strength::Rule>, 3> rules{
    {{"lcm", Strength::Rule::lcm}, {"cut", Strength::Rule::cut}, {"stretch", Strength::Rule::stretch}}};

[[noreturn]] void refuse(std::string_view where, std::string_view name, const std::string& known) {
    throw Error(ExitCode::usage, std::string(where), fmt::format("\"{}\" is not known", escape_control(name)), "use " + known);
}

template <typename Names, typename T>
std::string_view find_name(const Names& names, T value) {
    return std::ranges::find(names, value, &Names::value_type::second)->first;
}

template <typename Names>
auto find_value(const Names& names, std::string_view name, std::string_view where) {
    std::string known;
    for (const auto& [one, value] : names) {
        if (one == name) return value;
        known += fmt::format("{}{}", known.empty() ? "" : " or ", one);
    }
    refuse(where, name, known);
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
