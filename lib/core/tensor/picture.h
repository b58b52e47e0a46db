#pragma once

#include <ATen/core/Tensor.h>

#include "lib/image/float_image.h"

namespace lcm {

/// The pixels as [1,C,H,W] in f32; a copy.
at::Tensor to_torch(const FloatImage& image);

/// [C,H,W] or [1,C,H,W] in -1..1 as bytes: x/2 + 0.5, clamped, times 255, rounded half to even.
Image to_image(const at::Tensor& pixels);

}  // namespace lcm
