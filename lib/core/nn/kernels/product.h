#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/vector_kernels.h"

/// Products of pixels (or tokens) with packed weights, in f32, bf16 or int8: matrices, and convolutions without a copy of their windows
/// (Georganas et al. 2018, "Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures").
///
/// Everything is in blocks of 64 bytes of channels: 16 numbers in f32, 32 in bf16, 64 in int8. Pixels come in groups of 16 that lie in
/// equal distances; sum += x[pixel + tap, block] w[tap, block], over all blocks and, within a block, over all taps of the window, whose
/// pixels then come from the nearest cache.
///
/// Weights lie in panels of 32 outputs: [panel][block][tap][2][16 rows][64 bytes], where a row holds, for each of 16 outputs, the 4 bytes
/// that meet 4 bytes of a pixel: 1 number in f32, 2 in bf16, 4 in int8. That is what the tiles of AMX (`product_amx.cc`) and the vectors of
/// AVX512 (`product_avx512.h`) and of other CPUs (`product_vector.h`) all multiply. An output's sum is made in one order, whatever is
/// shared out between threads.
namespace lcm::nn::blocked {

constexpr std::int64_t block_bytes = 64, group_pixels = 16, panel_outputs = 32;

/// Bytes of a block and tap of a panel.
constexpr std::int64_t panel_step_bytes = 2048;

/// What is multiplied. Results are f32 of f32, and bf16 of the others.
enum class Numbers { f32, bf16, int8 };

/// Channels of a block.
constexpr std::int64_t block_channels(Numbers numbers) {
    return block_bytes / (numbers == Numbers::f32 ? 4 : numbers == Numbers::bf16 ? 2 : 1);
}

/// A 3x3 convolution by Winograd's way, F(2x2,3x3): 16 products for 4 outputs instead of 36; and that of a doubled picture, whose windows
/// hold every inner pixel twice: 9 (`tile_rows.h`).
enum class Windows { none, plain, doubling };

constexpr std::int64_t window_side(Windows windows) { return windows == Windows::doubling ? 3 : 4; }
constexpr std::int64_t window_taps(Windows windows) { return window_side(windows) * window_side(windows); }

/// What follows a sum, times `scale` and plus `bias`.
enum class Ending {
    plain,
    silu,
    geglu,  ///< of a panel's 32 sums the first 16 are values, the others their gates: value * gelu(gate), 16 outputs
};

/// Distances in bytes from one pixel, row, picture and block of channels to the next.
struct InputStrides {
    std::int64_t pixel = 0, row = 0, picture = 0, block = 0;
};

/// Distances in numbers; channels lie side by side.
struct OutputStrides {
    std::int64_t pixel = 0, row = 0, picture = 0;
};

/// A product and where everything lies.
struct Product {
    Numbers numbers = Numbers::bf16;
    const void* in = nullptr;  ///< of int8 unsigned bytes; 16 pixels from any that is asked for can be read, wanted or not
    InputStrides in_strides;
    const std::int64_t* taps = nullptr;  ///< of the window: distances in bytes from an output's first pixel
    std::int64_t tap_count = 1, blocks = 0;
    std::int64_t pictures = 1, rows = 1, width = 0;  ///< of the output
    std::int64_t joined = 0;  ///< above 0: so many pixels behind a row's first begins the next, and groups run over the ends of rows
    const void* weights = nullptr;
    std::int64_t outputs = 0;
    const float* scale = nullptr;    ///< [outputs] of int8; full panels are read
    const float* bias = nullptr;     ///< [outputs], of each picture where `bias_picture` is not 0; full panels are read
    std::int64_t bias_picture = 0;   ///< numbers from one picture's to the next's
    const void* residual = nullptr;  ///< added last, lies as `out`; null: none
    void* out = nullptr;
    OutputStrides out_strides;
    Ending ending = Ending::plain;
    /// If any: pixels are windows, rows and width count them, and distances in the result are those of two rows or pixels. Blocks are those
    /// of the first tap, then of the second, to the last. Not gated, not of int8, and with nothing behind a doubling one.
    Windows windows = Windows::none;

    /// Moves result and residual by so many numbers.
    void move(std::int64_t count) {
        const std::int64_t bytes = count * static_cast<std::int64_t>(numbers == Numbers::f32 ? sizeof(float) : sizeof(Bf16));
        out = static_cast<char*>(out) + bytes;
        if (residual != nullptr) residual = static_cast<const char*>(residual) + bytes;
    }

    /// Panels of weights.
    std::int64_t panels() const { return (outputs + panel_outputs - 1) / panel_outputs; }
    /// Groups of pixels; the last of a picture or row may be filled up.
    std::int64_t groups() const { return picture_groups() * pictures; }
    std::int64_t picture_groups() const {
        return joined == 0 ? row_groups() * rows : ((rows - 1) * joined + width + group_pixels - 1) / group_pixels;
    }
    std::int64_t row_groups() const { return (width + group_pixels - 1) / group_pixels; }
    /// Blocks of channels whose products are added up at a time, so that their weights stay in the second cache.
    std::int64_t blocks_at_a_time() const;
};

/// A part of a product: groups and panels, from the first to before the last.
struct Part {
    std::int64_t first_group, last_group, first_panel, last_panel;
};

/// How a product is computed on one kind of CPU.
struct ProductKernel {
    /// f32 numbers of working memory for a part, aligned to 64 bytes.
    std::int64_t (*scratch_numbers)(const Product& product, const Part& part);
    void (*multiply)(const Product& product, const Part& part, float* scratch);
};

/// Whether 3x3 convolutions are products of windows, with less than half the work: not where tiles wait for memory more than they multiply.
bool multiplies_windows(Numbers numbers);

}  // namespace lcm::nn::blocked
