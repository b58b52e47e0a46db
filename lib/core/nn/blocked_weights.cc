#include "lib/core/nn/blocked_weights.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "lib/core/nn/kernels/product.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t gates = panel_outputs / 2;

std::int64_t whole_panels(std::int64_t sums) { return (sums + panel_outputs - 1) / panel_outputs * panel_outputs; }

/// Sizes of a packed weight, in numbers.
struct Order {
    std::int64_t inputs, taps, blocks;
    std::int64_t per_block;  ///< channels of a block
    std::int64_t per_sum;    ///< channels that an instruction sums up at once

    Order(const at::Tensor& weight)
        : inputs(weight.size(1)),
          taps(weight.numel() / (weight.size(0) * weight.size(1))),
          per_block(block_bytes / static_cast<std::int64_t>(weight.element_size())),
          per_sum(4 / static_cast<std::int64_t>(weight.element_size())) {
        blocks = (inputs + per_block - 1) / per_block;
    }

    std::int64_t tile() const { return group_pixels * per_block; }
    std::int64_t panel() const { return blocks * taps * 2 * tile(); }
    /// Where channel `input` of the first tap goes in a panel, for its output `column`.
    std::int64_t place(std::int64_t column, std::int64_t input) const {
        const std::int64_t row = input % per_block / per_sum;
        const std::int64_t tile_index = input / per_block * taps * 2 + column / group_pixels;
        return tile_index * tile() + (row * group_pixels + column % group_pixels) * per_sum + input % per_sum;
    }
};

// Block by block, so that what is written stays in the first cache.
template <typename Number>
void pack_panel(const Number* weight, const Order& order, const std::int64_t* rows, Number* panel) {
    for (std::int64_t first = 0; first < order.inputs; first += order.per_block)
        for (std::int64_t column = 0; column < panel_outputs; ++column) {
            if (rows[column] < 0) continue;
            const Number* from = weight + (rows[column] * order.inputs + first) * order.taps;
            for (std::int64_t input = first; input < std::min(order.inputs, first + order.per_block); ++input) {
                Number* to = panel + order.place(column, input);
                for (std::int64_t tap = 0; tap < order.taps; ++tap, to += 2 * order.tile()) *to = *from++;
            }
        }
}

template <typename Number>
void pack(const at::Tensor& weight, const Order& order, const SumRows& rows, at::Tensor& packed) {
    const auto* const from = static_cast<const Number*>(weight.const_data_ptr());
    auto* const to = static_cast<Number*>(packed.mutable_data_ptr());
    at::parallel_for(0, packed.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) pack_panel(from, order, rows.data() + i * panel_outputs, to + i * order.panel());
    });
}

}  // namespace

SumRows plain_rows(std::int64_t outputs) {
    SumRows rows(static_cast<std::size_t>(whole_panels(outputs)), -1);
    for (std::int64_t i = 0; i < outputs; ++i) rows[static_cast<std::size_t>(i)] = i;
    return rows;
}

SumRows gated_rows(std::int64_t outputs) {
    SumRows rows(static_cast<std::size_t>(whole_panels((outputs + gates - 1) / gates * panel_outputs)), -1);
    for (std::int64_t i = 0; i < outputs; ++i) {
        const auto value = static_cast<std::size_t>(i / gates * panel_outputs + i % gates);
        rows[value] = i;
        rows[value + gates] = outputs + i;
    }
    return rows;
}

at::Tensor places(const SumRows& rows, std::int64_t outputs) {
    at::Tensor result = at::empty({outputs}, at::kLong);
    auto* const place = result.mutable_data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i] >= 0) place[rows[i]] = static_cast<std::int64_t>(i);
    return result;
}

at::Tensor pack_panels(const at::Tensor& weight, const SumRows& rows) {
    const at::Tensor plain = weight.contiguous();
    const Order order(plain);
    const auto panels = static_cast<std::int64_t>(rows.size()) / panel_outputs;
    at::Tensor packed = at::empty({panels, order.blocks, order.taps, 2, group_pixels, order.per_block}, plain.options());
    const bool is_filled_up = order.inputs % order.per_block != 0 || std::ranges::find(rows, -1) != rows.end();
    if (is_filled_up) packed.zero_();
    if (plain.element_size() == 1)
        pack<std::int8_t>(plain, order, rows, packed);
    else if (plain.element_size() == sizeof(Bf16))
        pack<Bf16>(plain, order, rows, packed);
    else
        pack<float>(plain, order, rows, packed);
    return packed;
}

at::Tensor pack_numbers(const at::Tensor& numbers, const SumRows& rows) {
    at::Tensor packed = at::zeros({static_cast<std::int64_t>(rows.size())}, at::kFloat);
    if (!numbers.defined()) return packed;
    const at::Tensor plain = numbers.to(at::kFloat).contiguous();
    const auto* const from = plain.const_data_ptr<float>();
    std::ranges::transform(rows, packed.mutable_data_ptr<float>(), [&](std::int64_t row) { return row < 0 ? 0.0F : from[row]; });
    return packed;
}

}  // namespace lcm::nn::blocked
