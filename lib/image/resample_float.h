#pragma once

#include "lib/image/float_image.h"

namespace lcm {

/// Modes of torch's `F.interpolate` with `align_corners=False`; the last two with `antialias=True`.
enum class Interpolation { nearest, area, bilinear, bicubic, bilinear_antialias, bicubic_antialias };

/// The picture in another size, as `F.interpolate` computes it in f32 (to rounding). Bicubic overshoots are kept.
/// @param width,height  at least 1
FloatImage resize(const FloatImage& image, int width, int height, Interpolation mode);

}  // namespace lcm
