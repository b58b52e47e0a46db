#include "lib/optimize/quantize_rule.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "lib/core/nn/quantized.h"

namespace lcm {

namespace {

// Products below these win no time: quantizing a number costs what some 300 of its products save on AMX and 100 on AVX512, the sums of
// short ones wait for what is written behind them, and a few rows for weights alone. A picture's are more, because its short ones make the
// residual stream of the largest pictures itself: in int8 three of them would cost twice the error of all other layers.
constexpr std::int64_t fewest_rows = 16, fewest_inputs = 256, fewest_products = 256, fewest_products_of_pictures = 512;

}  // namespace

std::string reason_to_stay(const nn::ProductShape& shape, std::int64_t rows, bool every_layer) {
    const std::int64_t taps = shape.is_matrix() ? 1 : shape.kernel * shape.kernel, inputs = shape.in * taps;
    if (inputs > nn::longest_int8_sum) return fmt::format("{} inputs do not add up in 32 bits", inputs);
    if (rows < (every_layer ? 1 : fewest_rows)) return fmt::format("{} rows", rows);
    if (every_layer) return {};
    if (inputs < fewest_inputs) return fmt::format("{} inputs", inputs);
    const std::int64_t products = shape.out * taps / (shape.stride * shape.stride);
    const std::int64_t fewest = shape.is_matrix() ? fewest_products : fewest_products_of_pictures;
    if (products < fewest) return fmt::format("{} products an input", products);
    return {};
}

}  // namespace lcm
