#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include "lib/core/nn/amx_panels.h"
#include "lib/core/nn/amx_products.h"
#include "lib/core/nn/amx_run.h"
#include "lib/core/nn/kernels/tiles_amx.h"

namespace lcm::nn::amx {

namespace {

/// Rows of a matrix side by side in whole blocks of channels.
at::Tensor whole_blocks(const at::Tensor& x, std::int64_t block_channels) {
    const std::int64_t missing = (block_channels - x.size(-1) % block_channels) % block_channels;
    return missing == 0 ? x.contiguous() : at::constant_pad_nd(x, {0, missing});
}

/// The pixels of a product from `first`: those of a full tile each, or copies of the last ones beside memory that fills up a tile.
void run_tokens(Product product, const at::Tensor& rows, std::int64_t first, std::int64_t count) {
    product.width = count;
    if (product.residual != nullptr) product.residual += first * product.out_strides.pixel;
    product.out += first * product.out_strides.pixel;
    product.in = static_cast<const char*>(rows.const_data_ptr());
    run(product, count * product.in_strides.pixel);
}

}  // namespace

void multiply_tokens(Product product, const at::Tensor& x) {
    const std::int64_t block_channels = tile_row_bytes / static_cast<std::int64_t>(x.element_size());
    const at::Tensor rows = whole_blocks(x.reshape({-1, x.size(-1)}), block_channels);
    static constexpr std::int64_t no_distance = 0;
    product.taps = &no_distance;
    product.blocks = rows.size(1) / block_channels;
    product.in_strides.pixel = rows.size(1) * static_cast<std::int64_t>(rows.element_size());
    product.in_strides.block = tile_row_bytes;
    const std::int64_t count = rows.size(0), whole = count / tile_rows * tile_rows;
    if (whole > 0) run_tokens(product, rows, 0, whole);
    if (whole == count) return;
    at::Tensor last = at::empty({tile_rows, rows.size(1)}, rows.options());
    last.narrow(0, 0, count - whole).copy_(rows.narrow(0, whole, count - whole));
    run_tokens(product, last, whole, count - whole);
}

namespace {

class Linear : public PackedLinear {
public:
    Linear(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias)
        : panels_(weights, "", plain, plain_rows(shape.out), bias), out_(shape.out) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override {
        std::vector<std::int64_t> sizes = x.sizes().vec();
        sizes.back() = out_;
        at::Tensor result = at::empty(sizes, x.options());
        const Plan plan(panels_, epilogue, /*pictures=*/1);
        const at::Tensor residual = plan.residual.defined() ? plan.residual.contiguous() : at::Tensor();
        Product product = panels_.product(plan, result, residual);
        product.outputs = out_;
        product.out_strides.pixel = out_;
        multiply_tokens(product, x);
        return apply(plan.rest, std::move(result), -1);
    }

private:
    Panels panels_;
    std::int64_t out_;
};

class Geglu : public PackedGeglu {
public:
    Geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias)
        : panels_(weights, "gated", plain, gated_rows(shape.out), bias), out_(shape.out) {}

    at::Tensor operator()(const at::Tensor& x) const override {
        std::vector<std::int64_t> sizes = x.sizes().vec();
        sizes.back() = out_;
        at::Tensor result = at::empty(sizes, x.options());
        Product product = panels_.product(Plan(panels_, {}, 1), result, {});
        product.outputs = 2 * out_;
        product.out_strides.pixel = out_;
        product.ending = Ending::geglu;
        multiply_tokens(product, x);
        return result;
    }

private:
    Panels panels_;
    std::int64_t out_;
};

}  // namespace

std::shared_ptr<const PackedLinear> pack_linear(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) {
    return std::make_shared<Linear>(weights, shape, plain, bias);
}

std::shared_ptr<const PackedGeglu> pack_geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) {
    return std::make_shared<Geglu>(weights, shape, plain, bias);
}

}  // namespace lcm::nn::amx
