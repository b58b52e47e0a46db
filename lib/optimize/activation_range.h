#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "lib/core/nn/int8_kernels.h"

namespace lcm {

/// What went into one product: the extremes of all numbers, and a sample of them.
class ActivationRange {
public:
    /// Watches the numbers of `x`; every call adds as many to the sample, spread by a fixed rule.
    void add(const at::Tensor& x);

    /// The range of steps with the smallest squared error on the sample: up to the extremes, or clipped where few numbers lie.
    nn::StepRange best() const;

private:
    float low_ = 0, high_ = 0;
    std::vector<float> sample_;
};

/// 256 steps from `low` to `high`, with 0 on a step. @param low  at most 0 @param high  at least 0
nn::StepRange steps_between(float low, float high);

}  // namespace lcm
