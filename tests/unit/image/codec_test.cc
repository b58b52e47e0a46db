#include "lib/image/codec.h"

#include <doctest/doctest.h>

#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using namespace lcm::test;

TEST_CASE("the ending of a file name tells the format") {
    CHECK(format_of("a.png") == ImageFormat::png);
    CHECK(format_of("/x.y/A.PNG") == ImageFormat::png);
    CHECK(format_of("b.jpg") == ImageFormat::jpeg);
    CHECK(format_of("b.JpEg") == ImageFormat::jpeg);
    for (const char* path : {"a", "png", "a.gif", "a.png.txt", ""}) CHECK(failure([&] { format_of(path); }) == ExitCode::usage);
}

TEST_CASE("the first bytes tell the format") {
    CHECK(detect_format(written(pattern(2, 2, 3), ImageFormat::png)) == ImageFormat::png);
    CHECK(detect_format(written(pattern(2, 2, 3), ImageFormat::jpeg)) == ImageFormat::jpeg);
    CHECK_FALSE(detect_format(to_bytes("\x89PNG")));
    CHECK_FALSE(detect_format(to_bytes("GIF89a")));
    CHECK_FALSE(detect_format({}));
}

TEST_CASE("pictures that cannot be are refused before anything is written") {
    const auto size_error = [](int width, int height, int channels) {
        return failure([&] { written(Image{width, height, channels, {}}, ImageFormat::png); });
    };
    CHECK(size_error(0, 4, 3) == ExitCode::data);
    CHECK(size_error(2, 2, 3) == ExitCode::software);
    CHECK(size_error(2, 0x7FFFFFFF, 3) == ExitCode::refused);
    CHECK(failure([&] { written(pattern(2, 2, 2), ImageFormat::png); }) == ExitCode::software);
    for (const auto format : {ImageFormat::png, ImageFormat::jpeg}) {
        CHECK(failure([&] { written(pattern(2, 2, 3), format, {std::string("a\0b", 3), ""}); }) == ExitCode::data);
        CHECK(failure([&] { written(pattern(2, 2, 3), format, {"", "\xFF"}); }) == ExitCode::data);
    }
}

TEST_CASE("what a sink throws comes out as it is") {
    struct Closed : ByteSink {
        void write(std::span<const std::byte>) override { throw BrokenPipe(); }
        void finish() override {}
        void abandon() noexcept override {}
        const std::string& name() const override { return name_; }
        bool immediate() const override { return true; }
        std::string name_ = "closed";
    } sink;
    CHECK_THROWS_AS(write_image(sink, pattern(2, 2, 3), ImageFormat::png, {}), BrokenPipe);
    CHECK_THROWS_AS(write_image(sink, pattern(2, 2, 3), ImageFormat::jpeg, {}), BrokenPipe);
}

TEST_CASE("other files are no pictures") {
    for (const char* text : {"", "hello", "GIF89a......", "<svg/>"}) {
        CHECK(failure([&] { inspect_picture(to_bytes(text), "a"); }) == ExitCode::data);
        CHECK(failure([&] { read_png(to_bytes(text), "a"); }) == ExitCode::data);
    }
}
