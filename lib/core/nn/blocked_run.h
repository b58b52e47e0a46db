#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/nn/kernels/product.h"

namespace lcm::nn::blocked {

/// Working memory of a thread.
class Scratch {
public:
    explicit Scratch(std::int64_t numbers);
    float* numbers() { return memory_.mutable_data_ptr<float>(); }

private:
    at::Tensor memory_;  // libtorch's memory is aligned to 64 bytes
};

/// a / b rounded up, of positive numbers.
constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The least multiple of `unit` that is not below `value`.
constexpr std::int64_t round_up(std::int64_t value, std::int64_t unit) { return ceil_divide(value, unit) * unit; }

/// What the weights of a product take that adds up so many blocks and taps of each pixel.
inline std::int64_t weight_bytes(const Product& product, std::int64_t steps) { return product.panels() * steps * panel_step_bytes; }

/// Where the `index`th of `count` nearly equal parts of 0 to `size` begins: at whole multiples of `unit`.
std::int64_t bound(std::int64_t size, std::int64_t index, std::int64_t count, std::int64_t unit);

/// Computes the whole product, in all threads or in the one that has a part of the work already.
/// @param input_bytes  of what all pixels are read from
void run(const Product& product, std::int64_t input_bytes);

}  // namespace lcm::nn::blocked
