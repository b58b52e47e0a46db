#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/linspace.h>

/// Numbers from -1 to 1 in equal steps, row by row: an input without a generator.
inline at::Tensor ramp(at::IntArrayRef shape) {
    std::int64_t count = 1;
    for (const std::int64_t side : shape) count *= side;
    return at::linspace(-1, 1, count, at::kFloat).reshape(shape);
}
