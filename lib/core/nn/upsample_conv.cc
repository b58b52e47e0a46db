#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

/// Three taps of a row or column as the two that meet the small picture: [w0, w1 + w2] for the even results, [w0 + w1, w2] for the odd.
at::Tensor fold(const at::Tensor& weight, std::int64_t dimension, int odd) {
    const auto tap = [&](std::int64_t i) { return weight.select(dimension, i); };
    return odd == 0 ? at::stack({tap(0), tap(1) + tap(2)}, dimension) : at::stack({tap(0) + tap(1), tap(2)}, dimension);
}

}  // namespace

at::Tensor fold_doubling(const at::Tensor& weight) {
    const at::Tensor exact = weight.to(at::kFloat);
    std::vector<at::Tensor> parts;
    for (const int row : {0, 1})
        for (const int column : {0, 1}) parts.push_back(fold(fold(exact, 2, row), 3, column));
    return at::cat(parts, 0);
}

UpsampleConv::UpsampleConv(const Scope& weights, std::int64_t in, std::int64_t out) : conv_(weights, {.in = in, .out = out}) {
    if (!packs(weights) || weights.branch("weight", {out, in, 3, 3}).down.defined()) return;
    const auto plain = [&] { return weights.take_stored("weight", {out, in, 3, 3}); };
    doubling_ = pack_upsample_conv(weights, {in, out}, plain, weights.take("bias", {out}));
}

at::Tensor UpsampleConv::operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const {
    const bool doubles = height == 2 * x.size(2) && width == 2 * x.size(3);
    if (doubling_ && doubles) return (*doubling_)(channels_last(x));
    return conv_(upsample_nearest(x, height, width));
}

}  // namespace lcm::nn
