#pragma once

#include "lib/image/image.h"

namespace lcm {

/// Filters of Pillow's `Image.resize`.
enum class Filter { nearest, box, bilinear, hamming, bicubic, lanczos };

/// A rectangle of a picture in pixels; its edges may lie between pixels, and a side may be 0 long (the edge there is stretched).
struct PixelBox {
    double left = 0, top = 0, right = 0, bottom = 0;
};

/// The picture in another size, as `Image.resize` of Pillow 13 makes it, byte for byte: one pass across and one down, with weights of 22
/// bits and bytes between.
/// @param width,height  at least 1
Image resize(const Image& image, int width, int height, Filter filter);

/// The same of a part of the picture. @param box  inside the picture
Image resize(const Image& image, int width, int height, Filter filter, const PixelBox& box);

}  // namespace lcm
