#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cstring>

#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

/// Three taps of a row or column as the two that meet the small picture: [w0, w1 + w2] for the even results, [w0 + w1, w2] for the odd.
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

/// Writes rows 2 * `first` to 2 * (`first` + `count`) of `result` [1,C,2*H,2*W] from the results [1,4*C,..,W+1] of windows, one behind each
/// corner of a small pixel; `skipped` rows of windows lie before the first that is needed.
void spread(const at::Tensor& windows, std::int64_t skipped, std::int64_t first, std::int64_t count, at::Tensor& result) {
    const std::int64_t width = result.size(3);
    const std::size_t bytes = static_cast<std::size_t>(result.size(1)) * result.element_size();
    const auto* const from = static_cast<const std::byte*>(windows.const_data_ptr());
    auto* const to = static_cast<std::byte*>(result.mutable_data_ptr());
    at::parallel_for(0, 2 * count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t line = begin; line < end; ++line) {
            const std::int64_t odd_row = line % 2, corner = (skipped + line / 2 + odd_row) * windows.size(3);
            std::byte* row = to + static_cast<std::size_t>((2 * first + line) * width) * bytes;
            for (std::int64_t x = 0; x < width; ++x, row += bytes) {
                const std::int64_t odd_column = x % 2, part = 2 * odd_row + odd_column;
                std::memcpy(row, from + static_cast<std::size_t>(4 * (corner + x / 2 + odd_column) + part) * bytes, bytes);
            }
        }
    });
}

constexpr std::int64_t band_bytes = 32 << 20;  // of windows at a time: small beside a large picture

/// The doubled picture, in bands of rows.
at::Tensor convolve_doubled(const PackedConv2d& conv, const at::Tensor& x, std::int64_t out) {
    const std::int64_t height = x.size(2), width = x.size(3);
    const std::int64_t row_bytes = 4 * out * (width + 1) * static_cast<std::int64_t>(x.element_size());
    const std::int64_t rows = std::max<std::int64_t>(8, band_bytes / row_bytes);
    at::Tensor result = at::empty({x.size(0), out, 2 * height, 2 * width}, x.options(), at::MemoryFormat::ChannelsLast);
    for (std::int64_t picture = 0; picture < x.size(0); ++picture)
        for (std::int64_t first = 0; first < height; first += rows) {
            // Windows at the edge of a band see zeros where the picture goes on: a row more on both sides keeps them out.
            const std::int64_t count = std::min(rows, height - first), above = std::min<std::int64_t>(first, 1);
            const std::int64_t end = std::min(height, first + count + 1);
            const at::Tensor band = x.narrow(0, picture, 1).narrow(2, first - above, end - first + above);
            at::Tensor to = result.narrow(0, picture, 1);
            spread(conv(band, {}), above, first, count, to);
        }
    return result;
}

}  // namespace

UpsampleConv::UpsampleConv(const Scope& weights, std::int64_t in, std::int64_t out) : out_(out), conv_(weights, {.in = in, .out = out}) {
    if (!packs(weights) || weights.branch("weight", {out, in, 3, 3}).down.defined()) return;
    const at::Tensor bias = weights.take("bias", {out});
    const auto plain = [&] { return folded(weights.take("weight", {out, in, 3, 3})); };
    doubling_ =
        std::make_shared<PackedConv2d>(weights, ConvShape{.in = in, .out = 4 * out, .kernel = 2}, plain, at::cat({bias, bias, bias, bias}));
}

at::Tensor UpsampleConv::operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const {
    const bool doubles = height == 2 * x.size(2) && width == 2 * x.size(3);
    if (doubling_ && doubles) return convolve_doubled(*doubling_, channels_last(x), out_);
    return conv_(upsample_nearest(x, height, width));
}

}  // namespace lcm::nn
