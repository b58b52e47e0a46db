#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn_like.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>

/// Gradients by autograd of `loss(forward())` for leaves that require one, from a clean start.
inline std::map<std::string, at::Tensor> autograd_gradients(const std::map<std::string, at::Tensor>& tensors, const at::Tensor& loss) {
    for (const auto& [name, tensor] : tensors) tensor.mutable_grad().reset();
    loss.backward();
    std::map<std::string, at::Tensor> gradients;
    for (const auto& [name, tensor] : tensors) {
        REQUIRE_MESSAGE(tensor.grad().defined(), name << " has no gradient");
        gradients[name] = tensor.grad();
    }
    return gradients;
}

/// Checks the gradients that autograd gives for every element of `tensors` (f64 leaves) against central differences.
/// @param forward  computes from the tensors' present values
inline void check_gradients(const std::map<std::string, at::Tensor>& tensors, const std::function<at::Tensor()>& forward) {
    // The error of a central difference in f64 is about step^2 from curvature and 1e-16 / step from rounding: 1e-10 at this step, for
    // values near 1; four decades are left for larger ones.
    constexpr double step = 1e-5, tolerance = 1e-6;
    const at::Tensor result = forward();
    const at::Tensor cotangent = at::randn_like(result.detach());
    const auto loss = [&cotangent](const at::Tensor& y) { return (y * cotangent).sum(); };
    const std::map<std::string, at::Tensor> gradients = autograd_gradients(tensors, loss(result));
    at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : tensors) {
        const at::Tensor gradient = gradients.at(name).contiguous().view(-1);
        at::Tensor values = tensor.view(-1);
        for (std::int64_t i = 0; i < values.numel(); ++i) {
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

/// Checks all gradients at once for networks too large for `check_gradients`: the derivative along a random direction of unit length.
inline void check_directional_gradient(const std::map<std::string, at::Tensor>& tensors, const std::function<at::Tensor()>& forward) {
    // As above; the direction's derivative is a hundredth of the gradient's length for 10^4 elements, so the tolerance is of that length.
    constexpr double step = 1e-5, tolerance = 1e-7;
    const at::Tensor result = forward();
    const at::Tensor cotangent = at::randn_like(result.detach());
    const auto loss = [&cotangent](const at::Tensor& y) { return (y * cotangent).sum(); };
    const std::map<std::string, at::Tensor> gradients = autograd_gradients(tensors, loss(result));
    at::NoGradGuard no_grad;
    std::map<std::string, at::Tensor> direction;
    double length = 0, gradient_length = 0, found = 0;
    for (const auto& [name, gradient] : gradients) {
        direction[name] = at::randn_like(gradient);
        length += direction[name].square().sum().item<double>();
        gradient_length += gradient.square().sum().item<double>();
        found += (gradient * direction[name]).sum().item<double>();
    }
    length = std::sqrt(length);
    const auto moved_loss = [&](double by) {
        for (const auto& [name, tensor] : tensors) tensor.add_(direction[name], by / length);
        const double moved = loss(forward()).item<double>();
        for (const auto& [name, tensor] : tensors) tensor.sub_(direction[name], by / length);
        return moved;
    };
    const double difference = (moved_loss(step) - moved_loss(-step)) / (2 * step);
    CHECK_MESSAGE(std::abs(found / length - difference) <= tolerance * std::sqrt(gradient_length),
                  "gradient " << found / length << ", difference " << difference << ", length " << std::sqrt(gradient_length));
}
