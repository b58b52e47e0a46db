#pragma once

#include "lib/image/image.h"

namespace lcm {

/// Gradients, the sum of |dx| and |dy| of 3x3 Sobel filters on bytes, above which a line is an edge (`high`), and down to which it goes on
/// from there (`low`).
struct CannyThresholds {
    int low = 100, high = 200;
};

/// White edges, one pixel thin, on black, one channel, as OpenCV's `Canny` finds them with its 3x3 aperture and the L1 gradient: each pixel
/// takes the channel with the largest gradient.
Image canny(const Image& image, const CannyThresholds& thresholds = {});

}  // namespace lcm
