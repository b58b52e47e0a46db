#include "lib/image/orientation.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace lcm {

Image upright(StoredImage stored) {
    const int turn = stored.orientation;
    if (turn < 2 || turn > 8) return std::move(stored.image);
    const Image& from = stored.image;
    const bool diagonal = turn >= 5;
    const bool from_right = turn == 2 || turn == 3 || turn == 7 || turn == 8, from_below = turn == 3 || turn == 4 || turn == 6 || turn == 7;
    Image to{diagonal ? from.height : from.width, diagonal ? from.width : from.height, from.channels, {}};
    to.pixels.resize(from.pixels.size());
    auto out = to.pixels.begin();
    for (int y = 0; y < to.height; ++y) {
        for (int x = 0; x < to.width; ++x) {
            const int column = diagonal ? y : x, row = diagonal ? x : y;
            const auto source = from.row(from_below ? from.height - 1 - row : row);
            const int left = (from_right ? from.width - 1 - column : column) * from.channels;
            out = std::copy_n(source.begin() + left, from.channels, out);
        }
    }
    return to;
}

}  // namespace lcm
