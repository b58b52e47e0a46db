#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "lib/core/nn/layers.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t block_numbers = 32768;  // libtorch itself does not divide fewer among threads (`at::internal::GRAIN_SIZE`)

at::Tensor differentiable(const at::Tensor& x, Activation activation) {
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::silu:
            return at::silu(x);
        case Activation::gelu:
            return at::gelu(x);
        case Activation::quick_gelu:
            return x * at::sigmoid(x * 1.702);
        case Activation::relu:
            return at::relu(x);
        case Activation::tanh:
            return at::tanh(x);
    }
    return x;
}

void write(at::Tensor& out, const at::Tensor& x, Activation activation) {
    switch (activation) {
        case Activation::silu:
            at::silu_out(out, x);
            return;
        case Activation::gelu:
            at::gelu_out(out, x);
            return;
        case Activation::tanh:
            at::tanh_out(out, x);
            return;
        default:
            at::mul_out(out, x, at::sigmoid(x * 1.702));
    }
}

/// [rows, columns] of numbers that lie side by side in a row, for a tensor that may be half of a wider one.
at::Tensor as_rows(const at::Tensor& x) {
    if (x.is_non_overlapping_and_dense()) return x.as_strided({x.numel(), 1}, {1, 1});
    return x.flatten(0, -2);
}

// libtorch divides the numbers by the number of threads, and computes those that fill no vector by another formula: the bytes would
// depend on the threads. Blocks of a fixed size do not.
at::Tensor in_blocks(const at::Tensor& x, Activation activation) {
    at::Tensor result = at::empty_like(x);
    const at::Tensor from = as_rows(x), to = as_rows(result).view(from.sizes());
    const std::int64_t rows = from.size(0), block_rows = std::max<std::int64_t>(1, block_numbers / from.size(1));
    const bool inference = c10::InferenceMode::is_enabled();
    at::parallel_for(0, (rows + block_rows - 1) / block_rows, 1, [&](std::int64_t begin, std::int64_t end) {
        const c10::InferenceMode mode(inference);
        for (std::int64_t block = begin; block < end; ++block) {
            const std::int64_t first = block * block_rows, count = std::min(block_rows, rows - first);
            at::Tensor out = to.narrow(0, first, count);
            write(out, from.narrow(0, first, count), activation);
        }
    });
    return result;
}

}  // namespace

at::Tensor activate(const at::Tensor& x, Activation activation) {
    const bool exact = activation == Activation::none || activation == Activation::relu;
    if (exact || at::GradMode::is_enabled() || !x.device().is_cpu() || x.numel() <= block_numbers) return differentiable(x, activation);
    return in_blocks(x, activation);
}

}  // namespace lcm::nn
