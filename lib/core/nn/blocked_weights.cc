#include "lib/core/nn/blocked_weights.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "lib/core/nn/blocked_run.h"
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

    Order(std::int64_t inputs, std::int64_t taps, std::int64_t number_bytes)
        : inputs(inputs),
          taps(taps),
          blocks(ceil_divide(inputs, block_bytes / number_bytes)),
          per_block(block_bytes / number_bytes),
          per_sum(4 / number_bytes) {}

    explicit Order(const at::Tensor& weight)
        : Order(weight.size(1), weight.numel() / (weight.size(0) * weight.size(1)), static_cast<std::int64_t>(weight.element_size())) {}

    std::int64_t tile() const { return group_pixels * per_block; }
    std::int64_t panel() const { return blocks * taps * 2 * tile(); }
    /// Where channel `input` of its block goes in the two tiles of a step, for the panel's output `column`.
    std::int64_t within(std::int64_t column, std::int64_t input) const {
        const std::int64_t row = input % per_block / per_sum;
        return column / group_pixels * tile() + (row * group_pixels + column % group_pixels) * per_sum + input % per_sum;
    }
    /// Where channel `input` of the first tap goes in a panel.
    std::int64_t place(std::int64_t column, std::int64_t input) const {
        return input / per_block * taps * 2 * tile() + within(column, input);
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

/// G g along one line of a weight's window, whose numbers lie `step` apart as those of the result do `result_step`: plain
/// [g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2], doubling [g0, g0 + g1 + g2, g2].
void transform(Windows windows, const float* g, std::int64_t step, float* result, std::int64_t result_step) {
    const float first = g[0], middle = g[step], last = g[2 * step], outer = first + last;
    const bool plain = windows == Windows::plain;
    *result = first;
    *(result += result_step) = plain ? (outer + middle) / 2 : outer + middle;
    if (plain) *(result += result_step) = (outer - middle) / 2;
    *(result + result_step) = last;
}

/// G g G^T of one input of one output, tap by tap.
void transform(Windows windows, const float* g, float* taps) {
    constexpr std::int64_t kernel = 3;
    const std::int64_t side = window_side(windows);
    float rows[4 * kernel];
    for (std::int64_t x = 0; x < kernel; ++x) transform(windows, g + x, kernel, rows + x, kernel);
    for (std::int64_t y = 0; y < side; ++y) transform(windows, rows + y * kernel, 1, taps + y * side, 1);
}

template <typename Number>
void pack_window_panel(const float* weight, const Order& order, Windows windows, const std::int64_t* rows, Number* panel) {
    constexpr std::int64_t kernel_numbers = 9;
    float taps[16];
    for (std::int64_t first = 0; first < order.inputs; first += order.per_block)
        for (std::int64_t column = 0; column < panel_outputs; ++column) {
            if (rows[column] < 0) continue;
            for (std::int64_t input = first; input < std::min(order.inputs, first + order.per_block); ++input) {
                transform(windows, weight + (rows[column] * order.inputs + input) * kernel_numbers, taps);
                Number* to = panel + input / order.per_block * 2 * order.tile() + order.within(column, input);
                for (std::int64_t tap = 0; tap < order.taps; ++tap, to += order.blocks * 2 * order.tile())
                    *to = static_cast<Number>(taps[tap]);
            }
        }
}

template <typename Number>
void pack_windows(const at::Tensor& weight, const Order& order, const SumRows& rows, Windows windows, at::Tensor& packed) {
    const auto* const from = weight.const_data_ptr<float>();
    auto* const to = packed.mutable_data_ptr<Number>();
    at::parallel_for(0, packed.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            pack_window_panel(from, order, windows, rows.data() + i * panel_outputs, to + i * order.panel());
    });
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

at::Tensor pack_windows(const at::Tensor& weight, const SumRows& rows, Windows windows, at::ScalarType type) {
    const at::Tensor plain = weight.contiguous();
    const Order order(plain.size(1), window_taps(windows), static_cast<std::int64_t>(c10::elementSize(type)));
    const auto panels = static_cast<std::int64_t>(rows.size()) / panel_outputs;
    at::Tensor packed = at::zeros({panels, order.taps * order.blocks, 2, group_pixels, order.per_block}, type);
    if (type == at::kFloat)
        pack_windows<float>(plain, order, rows, windows, packed);
    else
        pack_windows<at::BFloat16>(plain, order, rows, windows, packed);
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
