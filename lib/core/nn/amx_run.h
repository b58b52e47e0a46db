#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/nn/kernels/product_amx.h"

namespace lcm::nn {

/// The tile registers of a thread and its working memory, while it lives.
class Tiles {
public:
    explicit Tiles(std::int64_t scratch_numbers);
    Tiles(const Tiles&) = delete;
    Tiles& operator=(const Tiles&) = delete;
    ~Tiles();
    float* scratch() { return scratch_.mutable_data_ptr<float>(); }

private:
    at::Tensor scratch_;  // libtorch's memory is aligned to 64 bytes
};

/// a / b rounded up, of positive numbers.
constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Computes the whole product in all threads. @param input_bytes  of what all pixels are read from
void run(const amx::Product& product, std::int64_t input_bytes);

}  // namespace lcm::nn
