#pragma once

#include "lib/image/image.h"
#include "lib/image/resample.h"

namespace lcm {

/// How a picture is brought to a size of another shape; the modes of diffusers' VaeImageProcessor.
enum class Fit {
    stretch,  ///< each side by its own factor ("default")
    crop,     ///< the middle of the picture, filled to the edges ("crop")
    pad,      ///< the whole picture; what stays free continues the outermost rows or columns ("fill")
};

/// The picture in the size `width` x `height`. @param filter  of the resizing
Image fit_to(const Image& image, int width, int height, Fit fit, Filter filter = Filter::lanczos);

/// The picture with its shorter side `edge` pixels long, the longer one rounded down (CLIP's image processor).
Image resize_shortest_edge(const Image& image, int edge, Filter filter);

/// The middle `width` x `height` of the picture, black where it is smaller.
Image center_crop(const Image& image, int width, int height);

/// Grey as Pillow's "L": (19595 r + 38470 g + 7471 b + 32768) / 65536, one channel. A grey picture stays as it is.
Image to_grey(const Image& image);

}  // namespace lcm
