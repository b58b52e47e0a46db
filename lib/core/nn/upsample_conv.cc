#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <cstring>

#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

/// Three taps of a row or column as the two pairs that meet the small picture: [w0, w1 + w2] for the even results, [w0 + w1, w2] for the odd.
at::Tensor fold(const at::Tensor& weight, std::int64_t dimension, int odd) {
    const auto tap = [&](std::int64_t i) { return weight.select(dimension, i); };
    return odd == 0 ? at::stack({tap(0), tap(1) + tap(2)}, dimension) : at::stack({tap(0) + tap(1), tap(2)}, dimension);
}

/// [4*out,in,2,2]: the results of even and odd rows and columns as channels of their own.
at::Tensor folded(const at::Tensor& weight) {
    const at::Tensor exact = weight.to(at::kFloat);
    std::vector<at::Tensor> parts;
    for (const int row : {0, 1})
        for (const int column : {0, 1}) parts.push_back(fold(fold(exact, 2, row), 3, column));
    return at::cat(parts, 0).to(weight.scalar_type());
}

/// Results [1..,4*C,H+1,W+1] of windows, one behind each corner of a pixel, to the picture [..,C,2*H,2*W] of the pixels between.
at::Tensor spread(const at::Tensor& windows) {
    const std::int64_t pictures = windows.size(0), channels = windows.size(1) / 4, height = windows.size(2) - 1, width = windows.size(3) - 1;
    at::Tensor result = at::empty({pictures, channels, 2 * height, 2 * width}, windows.options(), at::MemoryFormat::ChannelsLast);
    const std::size_t bytes = static_cast<std::size_t>(channels) * windows.element_size();
    const auto* const from = static_cast<const std::byte*>(windows.const_data_ptr());
    auto* const to = static_cast<std::byte*>(result.mutable_data_ptr());
    at::parallel_for(0, pictures * 2 * height, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t line = begin; line < end; ++line) {
            const std::int64_t picture = line / (2 * height), y = line % (2 * height), odd_row = y % 2;
            const std::int64_t corner = (picture * (height + 1) + y / 2 + odd_row) * (width + 1);
            for (std::int64_t x = 0; x < 2 * width; ++x) {
                const std::int64_t odd_column = x % 2, part = 2 * odd_row + odd_column;
                const std::int64_t window = corner + x / 2 + odd_column;
                std::memcpy(to + static_cast<std::size_t>(line * 2 * width + x) * bytes, from + static_cast<std::size_t>(4 * window + part) * bytes,
                            bytes);
            }
        }
    });
    return result;
}

}  // namespace

UpsampleConv::UpsampleConv(const Scope& weights, std::int64_t in, std::int64_t out) : conv_(weights, {.in = in, .out = out}) {
    if (!packs(weights) || weights.branch("weight", {out, in, 3, 3}).down.defined()) return;
    const at::Tensor bias = weights.take("bias", {out});
    const auto plain = [&] { return folded(weights.take("weight", {out, in, 3, 3})); };
    doubling_ = std::make_shared<PackedConv2d>(weights, ConvShape{.in = in, .out = 4 * out, .kernel = 2}, plain,
                                               at::cat({bias, bias, bias, bias}));
}

at::Tensor UpsampleConv::operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const {
    const bool doubles = height == 2 * x.size(2) && width == 2 * x.size(3);
    if (doubling_ && doubles) return spread((*doubling_)(x, {}));
    return conv_(upsample_nearest(x, height, width));
}

}  // namespace lcm::nn
