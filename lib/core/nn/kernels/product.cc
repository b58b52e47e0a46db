#include "lib/core/nn/kernels/product.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t most_steps = 96;  // weights of 192 KiB: what the second cache holds beside the pixels

std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

std::int64_t Product::blocks_at_a_time() const {
    const std::int64_t most = most_steps > tap_count ? most_steps / tap_count : 1;
    return ceil_divide(blocks, ceil_divide(blocks, most));
}

}  // namespace lcm::nn::blocked
