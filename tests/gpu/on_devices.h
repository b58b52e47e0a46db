#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "lib/core/bundle/bundle.h"
#include "lib/core/tensor/device.h"
#include "lib/core/weights/device_weights.h"

namespace lcm::gpu {

/// A GPU adds up in another order: a network of some hundred products loses this many digits of f32.
inline constexpr double most_f32 = 2e-5;
/// Times what the rounding of bf16 costs on the CPU (`each_rounded`): a GPU rounds as often, in another order.
inline constexpr double most_bf16_ratio = 1.5;

/// Root of the mean square of the difference, relative to that of `exact`.
inline double distance(const at::Tensor& tensor, const at::Tensor& exact) {
    return (tensor.cpu().to(at::kDouble) - exact.cpu().to(at::kDouble)).norm().item<double>() / exact.to(at::kDouble).norm().item<double>();
}

/// The model at `path` on a device.
inline Bundle open(const std::string& path, at::Device device, Precision precision = Precision::f32) {
    ModelFiles files;
    files.path = path;
    files.device = device;
    files.precision = precision;
    return Bundle::open(files);
}

/// Weights for a CPU that rounds after every operation, as a GPU does: packed products round once for several, and how often differs
/// between CPUs.
inline nn::WeightLayer each_rounded() {
    return {.over = [](nn::WeightSource& weights) { return std::make_unique<DeviceWeights>(weights, at::kCPU); }, .identity = {}};
}

/// The first GPU.
inline at::Device card() { return device_named("cuda"); }

}  // namespace lcm::gpu
