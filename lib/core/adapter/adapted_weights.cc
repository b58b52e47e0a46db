#include "lib/core/adapter/adapted_weights.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <vector>

namespace lcm {

namespace {

constexpr std::int64_t numbers_at_a_time = 1 << 19;  // of a part: the parts are the same with any number of threads

/// A weight or its change as [outputs,numbers of an output].
at::Tensor as_matrix(const at::Tensor& weight) { return weight.reshape({weight.size(0), -1}); }

/// What one adapter adds to a weight, in f64 and as matrices: the product of two factors, or the whole.
struct Addend {
    at::Tensor up, down, whole;

    explicit Addend(const nn::LowRank& factors) : up(as_matrix(factors.up)), down(as_matrix(factors.down)) {}
    explicit Addend(const at::Tensor& change) : whole(as_matrix(change)) {}

    at::Tensor rows(std::int64_t first, std::int64_t count) const {
        return whole.defined() ? whole.narrow(0, first, count) : at::matmul(up.narrow(0, first, count), down);
    }
};

/// Added in f64 and rounded once. Some outputs at a time: whole copies in f64 take several times the memory of the network.
at::Tensor add_up(const at::Tensor& weight, const std::vector<Addend>& addends, at::ScalarType type) {
    const at::Tensor result = at::empty(weight.sizes(), type), to = as_matrix(result), from = as_matrix(weight);
    const std::int64_t outputs = from.size(0);
    const std::int64_t some = std::max<std::int64_t>(1, numbers_at_a_time / from.size(1)), parts = (outputs + some - 1) / some;
    at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
        const c10::InferenceMode no_gradients;  // which threads do not inherit
        for (std::int64_t part = begin; part < end; ++part) {
            const std::int64_t first = part * some, count = std::min(some, outputs - first);
            at::Tensor sum = from.narrow(0, first, count).to(at::kDouble, /*non_blocking=*/false, /*copy=*/true);
            for (const Addend& addend : addends) sum.add_(addend.rows(first, count));
            to.narrow(0, first, count).copy_(sum);
        }
    });
    return result;
}

}  // namespace

at::Tensor AdaptedWeights::merged(const std::string& name, const at::Tensor& weight, at::ScalarType type) const {
    std::vector<Addend> addends;
    for (const auto& adapter : adapters_.adapters) {
        if (const auto factors = adapter->low_rank(network_, name, weight.sizes())) {
            if (adapters_.mode == AdapterMode::merge) addends.emplace_back(*factors);
        } else if (const at::Tensor change = adapter->weight_delta(network_, name, weight); change.defined()) {
            addends.emplace_back(change);
        }
    }
    return addends.empty() ? weight : add_up(weight, addends, type);
}

at::Tensor AdaptedWeights::take(const std::string& name, at::IntArrayRef shape) {
    const at::Tensor weight = weights_.take(name, shape);
    return merged(name, weight, weight.scalar_type());
}

at::Tensor AdaptedWeights::take_stored(const std::string& name, at::IntArrayRef shape) {
    return merged(name, weights_.take_stored(name, shape), at::kFloat);
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
    const at::ScalarType type = weights_.packs().value_or(at::kFloat);
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

nn::WeightLayer weight_layer(const AdapterSet& adapters, Network network) {
    if (!adapters.changes(network)) return {};
    return {[adapters, network](nn::WeightSource& weights) { return std::make_unique<AdaptedWeights>(weights, adapters, network); },
            adapters.mode == AdapterMode::merge ? adapters.identity : std::string()};
}

}  // namespace lcm
