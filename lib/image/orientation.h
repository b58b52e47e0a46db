#pragma once

#include "lib/image/image.h"

namespace lcm {

/// How the pixels of a file lie, as EXIF numbers it (tag 0x0112): 1 upright, 2 mirrored left to right, 3 upside down, 4 mirrored top to
/// bottom, 5 mirrored along the main diagonal, 6 to be turned clockwise, 7 mirrored along the other diagonal, 8 to be turned the other way.
inline constexpr int upright_orientation = 1;

/// A picture as its file holds it.
struct StoredImage {
    Image image;
    int orientation = upright_orientation;
};

/// The picture as it is to be seen. Any number outside 2..8 changes nothing.
Image upright(StoredImage stored);

}  // namespace lcm
