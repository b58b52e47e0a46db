#pragma once

#include <span>

#include "lib/core/nn/blocked_panels.h"
#include "lib/core/nn/blocked_picture.h"
#include "lib/core/nn/kernels/product.h"

/// Convolutions as products whose taps are distances in a picture with a border.
namespace lcm::nn::blocked {

/// What every product of a convolution sees of its input.
struct Window {
    std::int64_t kernel = 3, stride = 1;
    std::int64_t border = 1;  ///< pixels around the picture
    std::int64_t extra = 0;   ///< rows and columns that windows of the last products lie further on
};

/// A product that lacks its input, and where its first window begins in the picture with its border.
struct WindowProduct {
    Product product;
    std::int64_t row = 0, column = 0;
};

/// Computes them all, of the same number of rows, in bands of rows whose input stays in the caches.
/// @param x [B,C,H,W] f32 or bf16 in channels-last memory
void convolve(std::span<const WindowProduct> products, const Window& window, const at::Tensor& x, const PictureChange& change);

/// A product of `panels` into `result` [B,C,H,W] in channels-last memory, that lacks its input.
Product into_picture(const Panels& panels, const Plan& plan, at::Tensor& result, const at::Tensor& residual);

/// A convolution [B,out,H',W'] of x [B,in,H,W], with `change` before it and all of `epilogue` behind.
at::Tensor convolve(const Panels& panels, const ConvShape& shape, const at::Tensor& x, const PictureChange& change,
                    const Epilogue& epilogue);

}  // namespace lcm::nn::blocked
