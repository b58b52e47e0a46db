#include <doctest/doctest.h>

#include <algorithm>

#include "lib/image/canny.h"
#include "lib/image/line_art.h"
#include "tests/unit/image/picture_bytes.h"

using namespace lcm;

namespace {

/// Black on the left, `level` from column `edge` on.
Image step(int width, int height, int edge, std::uint8_t level) {
    Image image{width, height, 1, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) image.pixels.push_back(x < edge ? 0 : level);
    return image;
}

long white(const Image& image) { return std::ranges::count(image.pixels, std::uint8_t{255}); }

}  // namespace

TEST_CASE("Canny draws an upright edge one pixel thin") {
    const Image edges = canny(step(9, 6, 4, 255));
    CHECK(edges.channels == 1);
    for (int y = 0; y < 6; ++y)
        for (int x = 0; x < 9; ++x) CHECK(edges.row(y)[static_cast<std::size_t>(x)] == (x == 3 ? 255 : 0));
}

TEST_CASE("Canny's thresholds: nothing below the low one, and a weak line only where it meets a strong one") {
    CHECK(white(canny(step(9, 6, 4, 20))) == 0);  // 4 * 20 is below 100
    CHECK(white(canny(step(9, 6, 4, 40))) == 0);  // 160: weak and alone
    CHECK(white(canny(step(9, 6, 4, 51))) == 6);  // 204: strong
    Image both = step(9, 12, 4, 40);
    for (int x = 4; x < 9; ++x) both.pixels[static_cast<std::size_t>(x)] = 255;  // the first row is strong
    CHECK(white(canny(both)) > 6);
    CHECK(white(canny(step(9, 6, 4, 40), {.low = 10, .high = 20})) == 6);
}

TEST_CASE("pictures of one pixel, one row and one colour have no edges") {
    for (const auto& [width, height] : {std::pair{1, 1}, {7, 1}, {1, 7}, {8, 8}}) {
        const Image flat{width, height, 3, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), 90)};
        CHECK(white(canny(flat)) == 0);
        CHECK(white(scribble(flat)) == 0);
        CHECK(std::ranges::count(line_art(flat).pixels, 0) == width * height);
    }
}

TEST_CASE("line art and scribbles show a dark line on a light ground, and no light line on a dark one") {
    Image paper = step(31, 31, 0, 230), night = step(31, 31, 0, 20);
    for (int y = 0; y < 31; ++y) {
        paper.pixels[static_cast<std::size_t>(31 * y + 15)] = 10;
        night.pixels[static_cast<std::size_t>(31 * y + 15)] = 240;
    }
    CHECK(line_art(paper).row(15)[15] > 100);
    CHECK(line_art(paper).row(15)[2] < 20);
    CHECK(scribble(paper).row(15)[15] == 255);
    CHECK(scribble(night).row(15)[15] == 0);
}
