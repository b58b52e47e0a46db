#include "lib/core/nn/blocked_conv.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

#include "lib/core/nn/blocked_run.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t band_bytes = 1 << 20;  // of input for each thread: what its cache holds from its making to its use
constexpr std::int64_t least_rows = 8;        // of a band; the rows around it are made twice

/// Rows of the output that are computed at a time.
std::int64_t band_rows(std::int64_t rows, const Window& window, const at::Tensor& x) {
    const std::int64_t row_bytes = window.stride * static_cast<std::int64_t>(x.nbytes()) / x.size(2);
    return std::max(least_rows, ceil_divide(rows, ceil_divide(rows * row_bytes, band_bytes * at::get_num_threads())));
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

}  // namespace

void convolve(std::span<const WindowProduct> products, const Window& window, const at::Tensor& x, const PictureChange& change) {
    const std::int64_t rows = products.front().product.rows, band = band_rows(rows, window, x);
    for (std::int64_t first = 0; first < rows; first += band) {
        const std::int64_t count = std::min(band, rows - first), input_rows = (count - 1) * window.stride + window.kernel + window.extra;
        const BlockedPicture input(x, change, {first * window.stride - window.border, input_rows, window.border, window.stride});
        for (const WindowProduct& product : products) run_band(product, window, input, first, count);
    }
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
    at::Tensor result = picture_for(plan, epilogue, {x.size(0), shape.out, side(x.size(2)), side(x.size(3))}, x.options());
    const at::Tensor residual = plan.residual.defined() ? channels_last(plan.residual) : at::Tensor();
    const WindowProduct product{into_picture(panels, plan, result, residual)};
    convolve({&product, 1}, {shape.kernel, shape.stride, shape.padding}, x, change);
    return apply(plan.rest, std::move(result), 1);
}

}  // namespace lcm::nn::blocked
