#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/int8_kernels.h"
#include "lib/core/nn/kernels/product.h"

namespace lcm::nn::blocked {

/// What becomes of a picture's numbers before a convolution.
struct PictureChange {
    const NormLines* norm = nullptr;   ///< null: nothing
    const StepRange* steps = nullptr;  ///< bytes in these steps
    bool widens = false;               ///< to f32, if not in steps; else they stay f32 or bf16
};

/// Rows of a picture, and what a convolution makes of them.
struct PictureRows {
    std::int64_t first = 0, count = 0;  ///< counted from the first row of the picture; those outside are border
    std::int64_t border = 0;            ///< columns at both sides
    std::int64_t extra = 0;             ///< and so many more at the right
    std::int64_t stride = 1;            ///< pixels between windows: products read so far past the last pixel
};

/// Rows of f32 or bf16 pictures, with a border around them, in the order in which products read a convolution's input
/// (`kernels/picture_rows.h`).
class BlockedPicture {
public:
    /// The rows of all pictures. Border is 0, or what 0 is in steps. @param x [B,C,H,W] in channels-last memory
    BlockedPicture(const at::Tensor& x, const PictureChange& change, const PictureRows& rows);

    /// Becomes the `count` rows from `first` on, which is not before the rows that it has, and no more than it began with. Of those that
    /// it has nothing is computed again.
    void advance(std::int64_t first, std::int64_t count);

    std::int64_t pictures() const { return x_.size(0); }
    std::int64_t width() const { return width_; }
    std::int64_t blocks() const { return blocks_; }
    std::int64_t bytes() const { return static_cast<std::int64_t>(memory_.nbytes()); }
    const void* data() const { return memory_.const_data_ptr(); }
    /// With `stride` pixels and rows between windows, at most that of its rows.
    InputStrides strides(std::int64_t stride) const;

private:
    char* memory() { return static_cast<char*>(memory_.mutable_data_ptr()); }
    /// Rows `begin` to `end` of those that it has.
    void fill(std::int64_t begin, std::int64_t end);
    void fill_row(std::int64_t picture, std::int64_t row);
    /// Rows from `begin` on become the first.
    void keep(std::int64_t begin, std::int64_t count);

    const at::Tensor x_;
    const PictureChange change_;
    PictureRows rows_;
    const Numbers numbers_;
    const std::int64_t most_rows_, width_, blocks_;
    at::Tensor memory_;
};

}  // namespace lcm::nn::blocked
