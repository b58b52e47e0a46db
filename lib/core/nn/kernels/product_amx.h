#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/vector_kernels.h"

/// Products of pixels (or tokens) with packed weights on the tiles of AMX, in bf16 or int8: matrices, and convolutions without a copy of
/// their windows (Georganas et al. 2018, "Anatomy of High-Performance Deep Learning Convolutions on SIMD Architectures").
///
/// Sixteen pixels that lie in equal distances are a tile's rows; 64 bytes of their channels its columns. Two such groups times two tiles of
/// weights, 16 outputs each, fill the registers: sum += x[pixel + tap, block] w[tap, block], over all blocks of 64 bytes of channels and,
/// within a block, over all taps of the window, whose pixels then come from the nearest cache. While the tiles multiply, the vector unit
/// finishes the 32 pixels before and fetches the weights to come.
///
/// Weights lie in panels of 32 outputs: [panel][block][tap][2 tiles][16 rows][64 bytes], where a row holds, output by output, the 2 numbers
/// (bf16) or 4 (int8) that a tile product sums up at once. An output's sum is made in one order, whatever is shared out between threads.
namespace lcm::nn::amx {

constexpr std::int64_t panel_outputs = 32;

/// Bytes of a block and tap of a panel: two tiles.
constexpr std::int64_t panel_step_bytes = 2048;

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
    const void* in = nullptr;  ///< bf16, or unsigned bytes; 16 pixels from any that is asked for can be read, wanted or not
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
    const Bf16* residual = nullptr;  ///< added last, lies as `out`; null: none
    Bf16* out = nullptr;
    OutputStrides out_strides;
    Ending ending = Ending::plain;
    bool bytes = false;  ///< int8

    /// Panels of weights.
    std::int64_t panels() const { return (outputs + panel_outputs - 1) / panel_outputs; }
    /// Groups of 16 pixels; the last of a picture or row may be filled up.
    std::int64_t groups() const;
};

/// A part of a product: groups and panels, from the first to before the last.
struct Part {
    std::int64_t first_group, last_group, first_panel, last_panel;
};

/// Blocks of channels whose products are added up at a time, so that their weights stay in the second cache.
std::int64_t blocks_at_a_time(const Product& product);
/// f32 numbers of working memory for `part`, aligned to 64 bytes.
std::int64_t scratch_numbers(const Product& product, const Part& part);
/// Computes a part, between `begin_tiles` and `end_tiles` of the same thread.
void multiply(const Product& product, const Part& part, float* scratch);

}  // namespace lcm::nn::amx
