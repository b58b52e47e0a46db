#pragma once

#include <map>
#include <string>
#include <utility>

#include "lib/core/adapter/adapter_file.h"
#include "lib/core/adapter/adapter_registry.h"
#include "lib/core/adapter/block_weights.h"

namespace lcm {

/// The LoRA family as an adapter: changes of weights, times the adapter's weight and that of the block. A module at weight 0 is left alone.
class LoraAdapter : public BaseAdapter {
public:
    /// How strong it is. @param rule  `automatic`: each module has that of its file
    struct Strength {
        double weight = 1;
        BlockWeights blocks = {};
        DoraRule rule = DoraRule::automatic;
    };

    /// @throws Error(data) as expect_made_for, and for block weights that name no block
    LoraAdapter(AdapterFile file, const Strength& strength, const AdapterTarget& target);

    bool changes(Network network) const override;
    /// @throws Error(data) naming file and tensor for NaN and infinity
    at::Tensor weight_delta(Network network, const std::string& parameter, const at::Tensor& weight) const override;
    /// @throws as weight_delta
    std::optional<nn::LowRank> low_rank(Network network, const std::string& parameter, at::IntArrayRef shape) const override;

private:
    struct Weighted {
        AdapterChange change;
        double weight;
    };
    const Weighted* find(Network network, const std::string& parameter) const;
    void expect_finite_change(const at::Tensor& numbers, const AdapterChange& change) const;

    std::string path_;
    std::map<std::pair<Network, std::string>, Weighted> changes_;
};

/// The kind "lora" of records and of the list in `lib/optimize/init.cc`.
AdapterKind lora_kind();

}  // namespace lcm
