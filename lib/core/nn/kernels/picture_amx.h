#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/vector_kernels.h"

/// Rows of pixels in the order in which `product_amx.h` reads convolutions' inputs: 64 bytes of channels of one pixel beside those of the
/// next, block by block, so that sixteen pixels in a row are one stretch of memory.
namespace lcm::nn::amx {

/// One row of a picture and where it goes.
struct PictureRow {
    const Bf16* from;  ///< [width,channels]
    std::int64_t width, channels;
    char* to;            ///< aligned to 64 bytes; channels that fill up the last block are zero
    std::int64_t block;  ///< bytes from one block's to the next's
};

/// What becomes of the numbers on their way, in this order.
struct Change {
    const float* factor = nullptr;  ///< [channels], x * factor + shift; null: neither
    const float* shift = nullptr;
    bool silu = false;       ///< only with a factor
    bool bytes = false;      ///< clamp(round(x * per_step) + zero, 0, 255); else bf16
    float per_step = 1, zero = 0;
};

/// Writes all blocks of a row.
void fill_row(const PictureRow& row, const Change& change);

}  // namespace lcm::nn::amx
