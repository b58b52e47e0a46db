#include "lib/core/adapter/lora_adapter.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

LoraAdapter::LoraAdapter(AdapterFile file, const Strength& strength, const AdapterTarget& target) : path_(std::move(file.path)) {
    file.path = path_;
    expect_made_for(file, target.parameters, target.allow_unused);
    strength.blocks.expect_known(target.parameters);
    for (AdapterChange& change : file.changes) {
        const double weight = strength.weight * strength.blocks.of(change.module);
        if (weight == 0) continue;
        if (strength.rule != DoraRule::automatic) change.dora_rule = strength.rule;
        std::pair place(change.module.network, change.parameter);
        changes_.emplace(std::move(place), Weighted{std::move(change), weight});
    }
}

const LoraAdapter::Weighted* LoraAdapter::find(Network network, const std::string& parameter) const {
    const auto found = changes_.find({network, parameter});
    return found == changes_.end() ? nullptr : &found->second;
}

bool LoraAdapter::changes(Network network) const {
    return std::ranges::any_of(changes_, [&](const auto& change) { return change.first.first == network; });
}

at::Tensor LoraAdapter::weight_delta(Network network, const std::string& parameter, const at::Tensor& weight) const {
    const Weighted* found = find(network, parameter);
    if (!found) return {};
    const AdapterChange& change = found->change;
    at::Tensor delta = change.delta->compute(change.dora ? 1 : found->weight).reshape(weight.sizes());
    if (change.dora) delta = dora_change(weight.to(at::kDouble), delta, *change.dora, change.dora_rule, found->weight);
    expect_finite_change(delta, change);
    return delta;
}

void LoraAdapter::expect_finite_change(const at::Tensor& numbers, const AdapterChange& change) const {
    expect_finite(numbers, fmt::format("the change by {}", tensor_place(path_, change.tensor)));
}

std::optional<nn::LowRank> LoraAdapter::low_rank(Network network, const std::string& parameter, at::IntArrayRef shape) const {
    const Weighted* found = find(network, parameter);
    if (!found || found->change.dora) return std::nullopt;
    const auto factors = found->change.delta->factors(found->weight);
    if (!factors) return std::nullopt;
    for (const at::Tensor& factor : {factors->down, factors->up}) expect_finite_change(factor, found->change);
    const std::int64_t rank = found->change.delta->rank();
    std::vector<std::int64_t> down = shape.vec(), up(shape.size(), 1);
    down[0] = up[1] = rank;
    up[0] = shape[0];
    return nn::LowRank{factors->down.reshape(down), factors->up.reshape(up)};
}

AdapterKind lora_kind() {
    return {"lora", [](const AdapterEntry& entry, const std::string& path, const AdapterTarget& target) {
                if (!entry.schedule.empty())
                    throw Error(ExitCode::unavailable, path, "LoRA adapters work in every step: a schedule is not applied", "leave it out");
                const LoraAdapter::Strength strength{entry.weight, BlockWeights::parse(entry.blocks),
                                                     entry.rule.empty() ? DoraRule::automatic : dora_rule(entry.rule)};
                return std::make_shared<LoraAdapter>(open_adapter_file(path, target.names), strength, target);
            }};
}

}  // namespace lcm
