#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/product.h"

/// The input of a product of windows (`product.h`): B^T d B of every window d of a picture, in columns and then in rows (Lavin and Gray
/// 2016, "Fast Algorithms for Convolutional Neural Networks", F(2x2,3x3)).
///
/// Plain: windows of 4x4 pixels that begin at every second pixel of every second row, B^T d = [d0 - d2, d1 + d2, d2 - d1, d1 - d3].
/// Doubling: windows of 3x3 pixels that begin at every pixel. In the doubled picture they are 4x4, [d0, d1, d1, d2]; what is left of the
/// four is [d0 - d1, d1, d1 - d2], where the middle one's 2 is the weights'.
namespace lcm::nn::blocked {

/// Pixels from one window to the next.
constexpr std::int64_t window_step(Windows windows) { return windows == Windows::doubling ? 1 : 2; }

/// One row of windows, from the f32 blocks of a picture (`picture_rows.h`).
struct TileRow {
    Windows windows = Windows::plain;
    const char* from = nullptr;                 ///< the first window's first pixel in the first block
    std::int64_t from_row = 0, from_block = 0;  ///< bytes to the next row and block
    std::int64_t from_blocks = 0;
    std::int64_t count = 0;                 ///< windows
    char* to = nullptr;                     ///< the first window of tap 0 in the first block; they lie side by side
    std::int64_t to_tap = 0, to_block = 0;  ///< bytes to the next of both
};

/// Writes block `block` of all taps.
using FillTiles = void (*)(const TileRow& row, std::int64_t block);

}  // namespace lcm::nn::blocked
