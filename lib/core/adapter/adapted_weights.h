#pragma once

#include <memory>
#include <string>
#include <utility>

#include "lib/core/adapter/base_adapter.h"
#include "lib/core/nn/weight_source.h"

namespace lcm {

/// The weights of one network with the changes of adapters added as layers take them. Sums are made in f64 and rounded once; what no
/// adapter changes passes through, so that it stays in the mapped file.
class AdaptedWeights : public nn::WeightSource {
public:
    /// `weights` must live as long as the network is being built.
    AdaptedWeights(nn::WeightSource& weights, AdapterSet adapters, Network network)
        : weights_(weights), adapters_(std::move(adapters)), network_(network) {}

    at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
    at::Tensor take_stored(const std::string& name, at::IntArrayRef shape) override;
    bool has(const std::string& name) const override { return weights_.has(name); }
    std::optional<at::ScalarType> packs() const override { return weights_.packs(); }
    /// An adapter's own, else that of the weights, unless an adapter changes it: then the layer has the changed weight in plain numbers.
    std::shared_ptr<const nn::Product> product(const std::string& module, const nn::ProductShape& shape) override;
    nn::LowRank branch(const std::string& name, at::IntArrayRef shape) override;
    /// With the changes: `weights` keeps packed what belongs to this set alone.
    nn::PackedWeight find_packed(const std::string& name, const std::string& form) override { return weights_.find_packed(name, form); }
    nn::PackedWeight pack(const std::string& name, const std::string& form, const nn::Packing& packing) override {
        return weights_.pack(name, form, packing);
    }

private:
    bool changes(const std::string& name, at::IntArrayRef shape);
    /// `weight` and what the adapters that are merged add to it, in `type`; itself where they add nothing.
    at::Tensor merged(const std::string& name, const at::Tensor& weight, at::ScalarType type) const;

    nn::WeightSource& weights_;
    AdapterSet adapters_;
    Network network_;
};

/// What makes `AdaptedWeights` of a network's weights; empty when the adapters change none of them, so that nothing stands between. The
/// set is copied.
nn::WeightLayer weight_layer(const AdapterSet& adapters, Network network);

}  // namespace lcm
