#pragma once

#include "lib/core/nn/blocked_panels.h"
#include "lib/core/nn/blocked_picture.h"

/// 3x3 convolutions that keep a picture's size, or double it before, by Winograd's F(2x2,3x3) (Lavin and Gray 2016, "Fast Algorithms for
/// Convolutional Neural Networks"): 16 products for 4 outputs instead of 36; doubled, 9 instead of 16. Windows are made from f32 and
/// rounded once, to bf16 where that is multiplied.
namespace lcm::nn::blocked {

/// Whether 3x3 convolutions of so many inputs are computed this way: fewer do not repay making windows of them.
bool takes_windows(std::int64_t in, Numbers numbers);

/// The packed windows of parameter `weight` [out,in,3,3], made of it as it is stored.
Panels window_panels(const Scope& weights, LinearShape shape, Windows windows, const at::Tensor& bias);

/// A convolution [B,out,H,W] of x [B,in,H,W] in channels-last memory with panels of plain windows, with `change` before it and
/// all of `epilogue` behind.
at::Tensor convolve_windows(const Panels& panels, std::int64_t out, const at::Tensor& x, const PictureChange& change,
                            const Epilogue& epilogue);
/// The same [B,out,2H,2W] of the doubled x, with panels of a doubling one.
at::Tensor convolve_doubled(const Panels& panels, std::int64_t out, const at::Tensor& x);

}  // namespace lcm::nn::blocked
