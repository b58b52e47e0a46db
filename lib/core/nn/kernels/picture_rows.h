#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/product.h"

/// Rows of pixels in the order in which `product.h` reads convolutions' inputs: 64 bytes of channels of one pixel beside those of the next,
/// block by block, so that sixteen pixels in a row are one stretch of memory.
namespace lcm::nn::blocked {

/// One row of a picture and where it goes.
struct PictureRow {
    const void* from;  ///< [width,channels], f32 or bf16
    std::int64_t width, channels;
    char* to;            ///< aligned to 64 bytes; channels that fill up the last block are zero
    std::int64_t block;  ///< bytes from one block's to the next's
};

/// What becomes of the numbers on their way, in this order.
struct Change {
    const float* factor = nullptr;  ///< [channels], x * factor + shift; null: neither
    const float* shift = nullptr;
    bool silu = false;                 ///< only with a factor
    Numbers numbers = Numbers::bf16;   ///< of the blocks; int8: clamp(round(x * per_step) + zero, 0, 255)
    float per_step = 1, zero = 0;
};

/// Writes all blocks of a row: f32 to f32, bf16 to anything.
using FillRow = void (*)(const PictureRow& row, const Change& change);

}  // namespace lcm::nn::blocked
