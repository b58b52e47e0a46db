#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/int8_kernels.h"
#include "lib/core/nn/kernels/product_amx.h"

namespace lcm::nn {

/// What becomes of a picture's numbers before a convolution.
struct PictureChange {
    const NormLines* norm = nullptr;   ///< null: nothing
    const StepRange* steps = nullptr;  ///< bytes in these steps; null: bf16
};

/// Rows of a picture, and what a convolution makes of them.
struct PictureRows {
    std::int64_t first = 0, count = 0;  ///< counted from the first row of the picture; those outside are border
    std::int64_t border = 0;            ///< columns at both sides
    std::int64_t stride = 1;            ///< pixels between windows: tiles read so far past the last pixel
};

/// Rows of bf16 pictures, with a border around them, in the order in which tile products read a convolution's input
/// (`kernels/picture_amx.h`).
class AmxPicture {
public:
    /// The rows of all pictures. Border is 0, or what 0 is in steps. @param x [B,C,H,W] in channels-last memory
    AmxPicture(const at::Tensor& x, const PictureChange& change, const PictureRows& rows);

    std::int64_t width() const { return width_; }
    std::int64_t blocks() const { return blocks_; }
    std::int64_t bytes() const { return static_cast<std::int64_t>(memory_.nbytes()); }
    const void* data() const { return memory_.const_data_ptr(); }
    /// With `stride` pixels and rows between windows, at most that of its rows.
    amx::InputStrides strides(std::int64_t stride) const;

private:
    void fill(const at::Tensor& x, const PictureChange& change, const PictureRows& rows);

    std::int64_t rows_, width_, blocks_;
    at::Tensor memory_;
};

}  // namespace lcm::nn
