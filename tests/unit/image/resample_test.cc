#include "lib/image/resample.h"

#include <doctest/doctest.h>

#include "lib/image/fit.h"
#include "lib/image/float_image.h"
#include "lib/image/resample_float.h"
#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using lcm::test::pattern;

namespace {

constexpr Filter all_filters[] = {Filter::nearest, Filter::box, Filter::bilinear, Filter::hamming, Filter::bicubic, Filter::lanczos};
constexpr Interpolation all_modes[] = {Interpolation::nearest,
                                       Interpolation::area,
                                       Interpolation::bilinear,
                                       Interpolation::bicubic,
                                       Interpolation::bilinear_antialias,
                                       Interpolation::bicubic_antialias};

Image flat(int width, int height, std::uint8_t level) {
    return {width, height, 1, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height), level)};
}

}  // namespace

TEST_CASE("one colour stays that colour in every size and with every filter") {
    for (const Filter filter : all_filters)
        for (const int size : {1, 2, 7, 40})
            CHECK(resize(flat(11, 5, 201), size, size + 1, filter).pixels == flat(size, size + 1, 201).pixels);
    for (const Interpolation mode : all_modes)
        for (const float value : resize(to_unit(flat(11, 5, 255)), 7, 30, mode).values) CHECK(value == doctest::Approx(1));
}

TEST_CASE("a picture in its own size is unchanged") {
    const Image image = pattern(13, 9, 3);
    for (const Filter filter : all_filters) CHECK(resize(image, 13, 9, filter).pixels == image.pixels);
}

TEST_CASE("halving with the box filter is the mean of two, half a level rounded up") {
    const Image row{4, 1, 1, {10, 20, 30, 31}};
    CHECK(resize(row, 2, 1, Filter::box).pixels == std::vector<std::uint8_t>{15, 31});
}

TEST_CASE("a side of a part may be empty: its edge is stretched") {
    const Image rows{1, 3, 1, {100, 100, 7}};
    CHECK(resize(rows, 1, 2, Filter::bicubic, {0, 0, 1, 0}).pixels == std::vector<std::uint8_t>{100, 100});
}

TEST_CASE("a padded picture is whole, a cropped one fills the size") {
    const Image wide = pattern(40, 20, 3);
    for (const Fit fit : {Fit::stretch, Fit::crop, Fit::pad}) {
        const Image square = fit_to(wide, 16, 16, fit);
        CHECK(square.width == 16);
        CHECK(square.pixels.size() == 16 * 16 * 3);
    }
    const Image white = fit_to(flat(40, 20, 255), 16, 16, Fit::pad);
    CHECK(white.pixels == flat(16, 16, 255).pixels);  // the outermost rows go on
}

TEST_CASE("a picture smaller than the crop gets black round it, the odd row above") {
    const Image image = center_crop(flat(2, 1, 9), 2, 4);
    CHECK(image.pixels == std::vector<std::uint8_t>{0, 0, 0, 0, 9, 9, 0, 0});
    CHECK(center_crop(Image{4, 1, 1, {1, 2, 3, 4}}, 2, 1).pixels == std::vector<std::uint8_t>{2, 3});
}

TEST_CASE("grey weighs red, green and blue as Pillow does") {
    CHECK(to_grey(Image{3, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255}}).pixels == std::vector<std::uint8_t>{76, 150, 29});
    CHECK(to_grey(flat(2, 2, 5)).pixels == flat(2, 2, 5).pixels);
}

TEST_CASE("numbers become bytes by rounding half to even, clamped") {
    const FloatImage row{4, 1, 1, {-1.0F, 0.5F / 255, 1.5F / 255, 2.0F}};
    CHECK(to_bytes(row).pixels == std::vector<std::uint8_t>{0, 0, 2, 255});
}
