#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn_like.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

/// Checks the gradients that autograd gives for `tensors` (f64 leaves that require one) against central differences.
///
/// @param forward  computes from the tensors' present values
/// @param stride   every stride-th element of each tensor is moved
inline void check_gradients(const std::map<std::string, at::Tensor>& tensors, const std::function<at::Tensor()>& forward, std::int64_t stride = 1) {
    // The error of a central difference in f64 is about step^2 from curvature and 1e-16 / step from rounding: 1e-10 at this step, for
    // values near 1; four decades are left for larger ones.
    constexpr double step = 1e-5, tolerance = 1e-6;
    for (const auto& [name, tensor] : tensors) tensor.mutable_grad().reset();
    const at::Tensor result = forward();
    const at::Tensor cotangent = at::randn_like(result.detach());
    const auto loss = [&cotangent](const at::Tensor& y) { return (y * cotangent).sum(); };
    loss(result).backward();
    at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : tensors) {
        REQUIRE_MESSAGE(tensor.grad().defined(), name << " has no gradient");
        const at::Tensor gradient = tensor.grad().contiguous().view(-1);
        at::Tensor values = tensor.view(-1);
        for (std::int64_t i = 0; i < values.numel(); i += stride) {
            at::Tensor element = values.select(0, i);
            const double before = element.item<double>();
            element.fill_(before + step);
            const double above = loss(forward()).item<double>();
            element.fill_(before - step);
            const double below = loss(forward()).item<double>();
            element.fill_(before);
            const double difference = (above - below) / (2 * step), found = gradient.select(0, i).item<double>();
            CHECK_MESSAGE(std::abs(found - difference) <= tolerance * std::max(1.0, std::abs(difference)),
                          name << "[" << i << "]: gradient " << found << ", difference " << difference);
        }
    }
}
