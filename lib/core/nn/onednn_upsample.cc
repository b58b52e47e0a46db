#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "lib/core/nn/onednn_products.h"

namespace lcm::nn::onednn {

namespace {

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

class Doubling : public PackedUpsampleConv {
public:
    Doubling(std::shared_ptr<const PackedConv2d> windows, std::int64_t out) : windows_(std::move(windows)), out_(out) {}
    at::Tensor operator()(const at::Tensor& x) const override { return convolve_doubled(*windows_, x, out_); }

private:
    std::shared_ptr<const PackedConv2d> windows_;  ///< the four results of a pixel as channels
    std::int64_t out_;
};

}  // namespace

std::shared_ptr<const PackedUpsampleConv> pack_upsample_conv(const Scope& weights, LinearShape shape, const PlainWeight& plain,
                                                             const at::Tensor& bias) {
    const ConvShape windows{.in = shape.in, .out = 4 * shape.out, .kernel = 2};
    auto conv = onednn::pack_conv(weights, windows, [&] { return fold_doubling(plain()); }, at::cat({bias, bias, bias, bias}));
    return std::make_shared<Doubling>(std::move(conv), shape.out);
}

}  // namespace lcm::nn::onednn
