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

    std::int64_t pictures() const { return pictures_; }
    std::int64_t width() const { return width_; }
    std::int64_t blocks() const { return blocks_; }
    std::int64_t bytes() const { return static_cast<std::int64_t>(memory_.nbytes()); }
    const void* data() const { return memory_.const_data_ptr(); }
    /// With `stride` pixels and rows between windows, at most that of its rows.
    InputStrides strides(std::int64_t stride) const;

private:
    void fill(const at::Tensor& x, const PictureChange& change, const PictureRows& rows);

    Numbers numbers_;
    std::int64_t pictures_, rows_, width_, blocks_;
    at::Tensor memory_;
};

}  // namespace lcm::nn::blocked
