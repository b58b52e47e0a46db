#include "lib/core/nn/blocked_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

using namespace lcm::nn;
using namespace lcm::nn::blocked;

namespace {

constexpr at::ScalarType stored_types[] = {at::kFloat, at::kBFloat16, at::kHalf};

/// [sums,in,...] of `weight` [out,in,...]: its rows in the order of the panels, zeros where there is none.
at::Tensor in_order(const at::Tensor& weight, const SumRows& rows) {
    std::vector<std::int64_t> sizes = weight.sizes().vec();
    sizes.front() = static_cast<std::int64_t>(rows.size());
    at::Tensor all = at::zeros(sizes, weight.options());
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i] >= 0) all[static_cast<std::int64_t>(i)].copy_(weight[rows[i]]);
    return all;
}

/// The layout that `kernels/product.h` states, by views of libtorch: [panels,blocks,taps,2,16 rows,16 outputs x 4 bytes].
at::Tensor panels_of(const at::Tensor& weight, const SumRows& rows) {
    const std::int64_t channels = block_bytes / weight.element_size(), together = 4 / weight.element_size();
    at::Tensor all = in_order(weight, rows).reshape({static_cast<std::int64_t>(rows.size()), weight.size(1), -1}).transpose(1, 2);
    all = at::constant_pad_nd(all, {0, (channels - weight.size(1) % channels) % channels});
    const std::int64_t taps = all.size(1), blocks = all.size(2) / channels;
    // [panels,2,16 outputs,taps,blocks,16 rows,together]
    all = all.reshape({-1, 2, group_pixels, taps, blocks, channels / together, together}).permute({0, 4, 3, 1, 5, 2, 6});
    return all.reshape({all.size(0), blocks, taps, 2, group_pixels, channels});
}

}  // namespace

TEST_CASE("panels hold a weight in the order of the kernels, rounded once from any type in which it is stored") {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
        for (const at::ScalarType stored : stored_types)
            for (const auto& sizes : std::vector<std::vector<std::int64_t>>{{32, 32}, {70, 45}, {33, 5, 3, 3}, {64, 64, 2, 2}}) {
                const at::Tensor weight = at::randn(sizes, stored);
                const SumRows rows = sizes[0] % 4 == 0 ? gated_rows(sizes[0] / 2) : plain_rows(sizes[0]);
                CHECK(at::equal(pack(panel_packing(weight, rows, type)), panels_of(weight.to(type), rows)));
            }
}

TEST_CASE("panels hold bytes as they are") {
    const at::Tensor weight = at::randint(-128, 128, {40, 70, 3, 3}, at::kChar);
    CHECK(at::equal(pack(panel_packing(weight, plain_rows(40), at::kChar)), panels_of(weight, plain_rows(40))));
}

TEST_CASE("windows are G g G^T in f32, rounded once") {
    const at::Tensor plain = at::tensor({1.0F, 0.0F, 0.0F, 0.5F, 0.5F, 0.5F, 0.5F, -0.5F, 0.5F, 0.0F, 0.0F, 1.0F}).view({4, 3});
    const at::Tensor doubling = at::tensor({1.0F, 0.0F, 0.0F, 1.0F, 1.0F, 1.0F, 0.0F, 0.0F, 1.0F}).view({3, 3});
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
        for (const at::ScalarType stored : stored_types)
            for (const Windows windows : {Windows::plain, Windows::doubling}) {
                // Eighths: every sum is exact, whatever its order.
                const at::Tensor weight = at::randint(-64, 64, {40, 45, 3, 3}, at::kFloat).div_(8).to(stored);
                const at::Tensor& g = windows == Windows::plain ? plain : doubling;
                const at::Tensor made = at::einsum("ya,oiab,xb->oiyx", {g, weight.to(at::kFloat), g}).to(type);
                const at::Tensor by_blocks = panels_of(made, plain_rows(40));
                const at::Tensor packed = pack(window_packing(weight, plain_rows(40), windows, type));
                // Taps outermost.
                CHECK(at::equal(packed, by_blocks.transpose(1, 2).reshape(packed.sizes())));
            }
}
