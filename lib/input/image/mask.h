#pragma once

#include "lib/image/fit.h"
#include "lib/image/float_image.h"
#include "lib/input/image/image_size.h"

namespace lcm {

/// A mask at the size of its picture: grey, resized (Lanczos), 1 from half of white on, else 0. 1 means to repaint.
FloatImage repaint_mask(const Image& mask, const ImageSize& size, Fit fit);

/// The mask at the size of the latents: of every `factor` pixels a side the first (nearest neighbour).
FloatImage latent_mask(const FloatImage& mask, int factor);

}  // namespace lcm
