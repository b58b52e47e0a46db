#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/core/nn/weight_source.h"

namespace lcm {

/// The one form of all members of the LoRA family: a change of one parameter, alpha over rank included.
/// Factors stay views of the mapped file until they are multiplied.
class WeightDelta {
public:
    virtual ~WeightDelta() = default;

    /// The shape that the factors give: [out,in], [out,in,k,k], [n]; [out,in*k*k] where a file stores a convolution flat.
    virtual std::vector<std::int64_t> shape() const = 0;
    /// The change times `weight` in f64, of that shape.
    virtual at::Tensor compute(double weight) const = 0;
    /// The inner size of its factors; 0 for a change that is stored whole.
    virtual std::int64_t rank() const { return 0; }
    /// The two factors of that in f64 where the change is a plain product up @ down: what a layer can apply while it runs.
    virtual std::optional<nn::LowRank> factors(double /*weight*/) const { return std::nullopt; }
};

/// True when a change of shape `given` fits a parameter of shape `wanted`: the same, but for 1x1 kernels and for convolutions stored flat.
bool fits(at::IntArrayRef given, at::IntArrayRef wanted);

}  // namespace lcm
