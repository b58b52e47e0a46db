#include "lib/core/adapter/adapted_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <vector>

namespace lcm {

namespace {

at::Tensor with_sum(const at::Tensor& weight, const at::Tensor& sum) {
    return sum.defined() ? (weight.to(at::kDouble) + sum).to(weight.scalar_type()) : weight;
}

}  // namespace

at::Tensor AdaptedWeights::sum_of_deltas(const std::string& name, const at::Tensor& weight) {
    at::Tensor sum;
    for (const auto& adapter : adapters_.adapters) {
        if (adapters_.mode == AdapterMode::runtime && adapter->low_rank(network_, name, weight.sizes())) continue;
        const at::Tensor delta = adapter->weight_delta(network_, name, weight);
        if (delta.defined()) sum = sum.defined() ? sum + delta : delta;
    }
    return sum;
}

at::Tensor AdaptedWeights::take(const std::string& name, at::IntArrayRef shape) {
    const at::Tensor weight = weights_.take(name, shape);
    return with_sum(weight, sum_of_deltas(name, weight));
}

at::Tensor AdaptedWeights::take_stored(const std::string& name, at::IntArrayRef shape) {
    const at::Tensor stored = weights_.take_stored(name, shape), sum = sum_of_deltas(name, weights_.take(name, shape));
    return sum.defined() ? with_sum(stored.to(at::kFloat), sum) : stored;
}

nn::LowRank AdaptedWeights::branch(const std::string& name, at::IntArrayRef shape) {
    if (adapters_.mode == AdapterMode::merge) return {};
    std::vector<at::Tensor> down, up;
    for (const auto& adapter : adapters_.adapters) {
        const auto factors = adapter->low_rank(network_, name, shape);
        if (!factors) continue;
        down.push_back(factors->down);
        up.push_back(factors->up);
    }
    if (down.empty()) return {};
    // Products beside one weight are one product of their ranks together, in the type of the weight.
    const at::ScalarType type = weights_.packs().value_or(down.front().scalar_type());
    return {at::cat(down, 0).to(type), at::cat(up, 1).to(type)};
}

bool AdaptedWeights::changes(const std::string& name, at::IntArrayRef shape) {
    for (const auto& adapter : adapters_.adapters)
        if (adapter->low_rank(network_, name, shape) || adapter->weight_delta(network_, name, weights_.take(name, shape)).defined())
            return true;
    return false;
}

std::shared_ptr<const nn::Product> AdaptedWeights::product(const std::string& module, const nn::ProductShape& shape) {
    for (const auto& adapter : adapters_.adapters)
        if (auto own = adapter->product(network_, module, shape, weights_)) return own;
    auto product = weights_.product(module, shape);
    if (product && (changes(module + ".weight", shape.weight()) || (shape.bias && changes(module + ".bias", {shape.out})))) return nullptr;
    return product;
}

std::function<std::unique_ptr<nn::WeightSource>(nn::WeightSource&)> weight_layer(const AdapterSet& adapters, Network network) {
    if (!adapters.changes(network)) return {};
    return [adapters, network](nn::WeightSource& weights) { return std::make_unique<AdaptedWeights>(weights, adapters, network); };
}

}  // namespace lcm
