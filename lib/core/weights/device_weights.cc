#include "lib/core/weights/device_weights.h"

namespace lcm {

at::Tensor DeviceWeights::take(const std::string& name, at::IntArrayRef shape) { return weights_.take(name, shape).to(device_); }

nn::LowRank DeviceWeights::branch(const std::string& name, at::IntArrayRef shape) {
    nn::LowRank factors = weights_.branch(name, shape);
    if (factors.down.defined()) factors = {factors.down.to(device_), factors.up.to(device_)};
    return factors;
}

}  // namespace lcm
