#pragma once

#include <functional>
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

private:
    bool changes(const std::string& name, at::IntArrayRef shape);
    /// What the adapters that are merged add to `weight`, f64; undefined: nothing.
    at::Tensor sum_of_deltas(const std::string& name, const at::Tensor& weight);

    nn::WeightSource& weights_;
    AdapterSet adapters_;
    Network network_;
};

/// What makes `AdaptedWeights` of a network's weights; empty when the adapters change none of them, so that nothing stands between. The
/// set is copied.
std::function<std::unique_ptr<nn::WeightSource>(nn::WeightSource&)> weight_layer(const AdapterSet& adapters, Network network);

}  // namespace lcm
