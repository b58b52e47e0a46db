#pragma once

#include <memory>
#include <string>

#include "lib/core/nn/weight_source.h"

namespace lcm {

/// The weights of another source on a GPU. Nothing is packed there, which is the CPU's way, and no product is made in bytes.
class DeviceWeights : public nn::WeightSource {
public:
    /// `weights` must live as long as the network is being built.
    DeviceWeights(nn::WeightSource& weights, at::Device device) : weights_(weights), device_(device) {}

    at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
    bool has(const std::string& name) const override { return weights_.has(name); }
    at::Device device() const override { return device_; }
    nn::LowRank branch(const std::string& name, at::IntArrayRef shape) override;

private:
    nn::WeightSource& weights_;
    at::Device device_;
};

/// What `build` makes of the weights where they shall lie.
template <typename Build>
auto build_on(at::Device device, nn::WeightSource& weights, const Build& build) {
    if (device.is_cpu()) return build(weights);
    DeviceWeights there(weights, device);
    return build(static_cast<nn::WeightSource&>(there));
}

}  // namespace lcm
