#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include "lib/core/nn/blocked_panels.h"
#include "lib/core/nn/blocked_run.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t no_distance = 0;

/// Rows side by side in whole blocks of channels.
at::Tensor whole_blocks(const at::Tensor& rows, std::int64_t channels) {
    const std::int64_t missing = (channels - rows.size(1) % channels) % channels;
    return missing == 0 ? rows.contiguous() : at::constant_pad_nd(rows, {0, missing});
}

/// The tokens from `first`, whose channels `rows` holds.
void run_tokens(Product product, const at::Tensor& rows, std::int64_t first, std::int64_t count) {
    product.in = rows.const_data_ptr();
    product.width = count;
    product.move(first * product.out_strides.pixel);
    run(product, count * product.in_strides.pixel);
}

/// Computes a product that lacks its input and width.
void run_all_tokens(Product product, const at::Tensor& x) {
    const std::int64_t channels = block_channels(product.numbers);
    const at::Tensor rows = whole_blocks(x.reshape({-1, x.size(-1)}), channels);
    product.taps = &no_distance;
    product.blocks = rows.size(1) / channels;
    product.in_strides.pixel = product.blocks * block_bytes;
    product.in_strides.block = block_bytes;
    const std::int64_t count = rows.size(0), whole = count / group_pixels * group_pixels;
    if (whole > 0) run_tokens(product, rows, 0, whole);
    if (whole == count) return;
    // A product reads whole groups: the last tokens stand in memory of their own.
    at::Tensor last = at::empty({group_pixels, rows.size(1)}, rows.options());
    last.narrow(0, 0, count - whole).copy_(rows.narrow(0, whole, count - whole));
    run_tokens(product, last, whole, count - whole);
}

}  // namespace

at::Tensor multiply_tokens(const Panels& panels, const at::Tensor& x, std::int64_t out, const Epilogue& epilogue, bool gated) {
    std::vector<std::int64_t> sizes = x.sizes().vec();
    sizes.back() = out;
    const Plan plan(panels, epilogue, /*pictures=*/1);
    at::Tensor result = memory_for(plan, epilogue, sizes, panels.result_type(), at::MemoryFormat::Contiguous);
    if (result.numel() == 0) return result;
    const at::Tensor residual = plan.residual.defined() ? plan.residual.contiguous() : at::Tensor();
    Product product = panels.product(plan, result, residual);
    product.outputs = gated ? 2 * out : out;
    product.out_strides.pixel = out;
    if (gated) product.ending = Ending::geglu;
    run_all_tokens(product, x);
    return apply(plan.rest, std::move(result), -1);
}

}  // namespace lcm::nn::blocked
