#include "lib/core/adapter/dora.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "lib/base/error.h"

namespace lcm {
namespace {

constexpr std::array<std::pair<std::string_view, DoraRule>, 4> rules{
    {{"auto", DoraRule::automatic}, {"linear", DoraRule::linear}, {"lycoris", DoraRule::lycoris}, {"peft", DoraRule::peft}}};

/// m / n, ready to be multiplied with `v`.
at::Tensor ratio(const at::Tensor& v, const Dora& dora) {
    std::vector<std::int64_t> broadcast(static_cast<std::size_t>(v.dim()), 1);
    const std::int64_t kept = dora.per_output ? 0 : 1;
    broadcast[static_cast<std::size_t>(kept)] = v.size(kept);
    const at::Tensor norm = v.transpose(0, kept).flatten(1).norm(2, 1).view(broadcast);
    return dora.magnitude.to(at::kDouble).view(broadcast) / norm;
}

}  // namespace

DoraRule dora_rule(std::string_view name) {
    for (const auto& [known, rule] : rules)
        if (known == name) return rule;
    throw Error(ExitCode::data, "", fmt::format("there is no DoRA rule \"{}\"", name), "use auto, linear, lycoris or peft");
}

std::string_view name(DoraRule rule) {
    for (const auto& [known, value] : rules)
        if (value == rule) return known;
    throw Error(ExitCode::software, "", "no such rule");
}

at::Tensor dora_change(const at::Tensor& weight, const at::Tensor& delta, const Dora& dora, DoraRule rule, double strength) {
    if (rule == DoraRule::peft) {
        const at::Tensor v = weight + delta * strength;
        return v * ratio(v, dora) - weight;
    }
    const at::Tensor v = weight + delta;
    if (rule == DoraRule::lycoris) return v * ((ratio(v, dora) - 1) * strength + 1) - weight;
    return (v * ratio(v, dora) - weight) * strength;
}

}  // namespace lcm
