#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using namespace lcm::test;

TEST_CASE("a JPEG comes back near what was written, grey as RGB") {
    for (const int channels : {1, 3}) {
        Image image{24, 16, channels, {}};
        for (int i = 0; i < 24 * 16 * channels; ++i) image.pixels.push_back(static_cast<std::uint8_t>(100 + i / (24 * channels) * 4));
        const Image back = read_image(written(image, ImageFormat::jpeg), "a.jpg");
        REQUIRE(back.channels == 3);
        REQUIRE(back.pixels.size() == 24 * 16 * 3);
        for (std::size_t i = 0; i < back.pixels.size(); ++i)
            CHECK(std::abs(back.pixels[i] - image.pixels[i / (3 / static_cast<std::size_t>(channels))]) <= 3);
    }
}

TEST_CASE("a JPEG cut anywhere is refused, and so is what is no picture") {
    const Bytes file = written(pattern(40, 40, 3), ImageFormat::jpeg);
    for (std::size_t length = 0; length + 2 < file.size(); length += 37)
        CHECK(failure([&] { read_image(std::span(file).first(length), "a.jpg"); }) == ExitCode::data);
    CHECK(failure([] { read_image(to_bytes("GIF89a"), "a.gif"); }) == ExitCode::data);
}
