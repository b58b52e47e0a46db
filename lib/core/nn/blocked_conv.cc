#include "lib/core/nn/blocked_conv.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "lib/core/nn/blocked_run.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t band_bytes = 1 << 20;  // of input for each thread: what its cache holds from its making to its use
constexpr std::int64_t least_rows = 8;        // of a band, and of a thread that has rows of its own: those around them are made twice

/// Rows of the output, to before the last, and by how many threads they are computed.
struct Share {
    std::int64_t first, last, threads;
};

/// Rows that are computed at a time by so many threads.
std::int64_t band_rows(std::int64_t rows, const Window& window, const at::Tensor& x, std::int64_t threads) {
    const std::int64_t row_bytes = window.stride * static_cast<std::int64_t>(x.nbytes()) / x.size(2);
    return std::max(least_rows, ceil_divide(rows, ceil_divide(rows * row_bytes, band_bytes * threads)));
}

std::vector<std::int64_t> tap_distances(const Window& window, const InputStrides& strides, const WindowProduct& product) {
    std::vector<std::int64_t> taps;
    for (std::int64_t row = 0; row < window.kernel; ++row)
        for (std::int64_t column = 0; column < window.kernel; ++column)
            taps.push_back((product.row + row) * strides.row + (product.column + column) * strides.pixel);
    return taps;
}

/// Groups of 16 pixels run over the ends of rows where whole rows would fill them worse.
bool joins(const Window& window, std::int64_t width, std::int64_t input_width) {
    return window.stride == 1 && ceil_divide(width, group_pixels) * group_pixels > input_width;
}

/// `count` rows from `first`, whose input is `input`.
void run_band(const WindowProduct& whole, const Window& window, const BlockedPicture& input, std::int64_t first, std::int64_t count) {
    const std::vector<std::int64_t> taps = tap_distances(window, input.strides(1), whole);
    Product product = whole.product;
    product.in = input.data();
    product.in_strides = input.strides(window.stride);
    product.taps = taps.data();
    product.tap_count = static_cast<std::int64_t>(taps.size());
    product.blocks = input.blocks();
    product.rows = count;
    product.joined = joins(window, product.width, input.width()) ? input.width() : 0;
    product.move(first * product.out_strides.row);
    run(product, input.bytes());
}

/// Whether each thread makes and multiplies rows of its own, which it finds in its own cache, and waits for no other: where there are more
/// pixels than weights, which all of them read then.
bool takes_own_rows(std::span<const WindowProduct> products, const Window& window, const at::Tensor& x, std::int64_t threads) {
    const Product& product = products.front().product;
    const std::int64_t blocks = ceil_divide(x.size(1), block_channels(product.numbers)), taps = window.kernel * window.kernel;
    const std::int64_t weights = static_cast<std::int64_t>(products.size()) * weight_bytes(product, blocks * taps);
    return product.rows >= least_rows * threads && weights <= x.numel() / x.size(1) * blocks * block_bytes;
}

/// Some rows, band by band.
void convolve_rows(std::span<const WindowProduct> products, const Window& window, const at::Tensor& x, const PictureChange& change,
                   const Share& share) {
    const std::int64_t rows = share.last - share.first, band = std::min(rows, band_rows(rows, window, x, share.threads));
    const auto input_row = [&](std::int64_t row) { return row * window.stride - window.border; };
    const auto input_rows = [&](std::int64_t count) { return (count - 1) * window.stride + window.kernel + window.extra; };
    BlockedPicture input(x, change, {input_row(share.first), input_rows(band), window.border, window.extra, window.stride});
    for (std::int64_t first = share.first; first < share.last; first += band) {
        const std::int64_t count = std::min(band, share.last - first);
        if (first > share.first) input.advance(input_row(first), input_rows(count));
        for (const WindowProduct& product : products) run_band(product, window, input, first, count);
    }
}

}  // namespace

void convolve(std::span<const WindowProduct> products, const Window& window, const at::Tensor& x, const PictureChange& change) {
    const std::int64_t rows = products.front().product.rows, threads = at::get_num_threads();
    if (!takes_own_rows(products, window, x, threads)) return convolve_rows(products, window, x, change, {0, rows, threads});
    at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            convolve_rows(products, window, x, change, {bound(rows, i, threads, 1), bound(rows, i + 1, threads, 1), 1});
    });
}

Product into_picture(const Panels& panels, const Plan& plan, at::Tensor& result, const at::Tensor& residual) {
    Product product = panels.product(plan, result, residual);
    product.outputs = result.size(1);
    product.pictures = result.size(0);
    product.rows = result.size(2);
    product.width = result.size(3);
    product.out_strides = {result.size(1), result.size(1) * result.size(3), result.size(1) * result.size(3) * result.size(2)};
    return product;
}

at::Tensor convolve(const Panels& panels, const ConvShape& shape, const at::Tensor& x, const PictureChange& change,
                    const Epilogue& epilogue) {
    const auto side = [&](std::int64_t size) { return (size + 2 * shape.padding - shape.kernel) / shape.stride + 1; };
    const Plan plan(panels, epilogue, x.size(0));
    at::Tensor result = memory_for(plan, epilogue, {x.size(0), shape.out, side(x.size(2)), side(x.size(3))}, x.options(),
                                   at::MemoryFormat::ChannelsLast);
    const at::Tensor residual = plan.residual.defined() ? channels_last(plan.residual) : at::Tensor();
    const WindowProduct product{into_picture(panels, plan, result, residual)};
    convolve({&product, 1}, {shape.kernel, shape.stride, shape.padding}, x, change);
    return apply(plan.rest, std::move(result), 1);
}

}  // namespace lcm::nn::blocked
