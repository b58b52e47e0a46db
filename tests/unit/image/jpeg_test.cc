#include <cstdio>  // jpeglib.h needs FILE

#include <doctest/doctest.h>
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>

#include "tests/unit/caught_error.h"
#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using namespace lcm::test;
using namespace std::string_literals;

namespace {

/// libjpeg's own view of a file.
Image decoded(const Bytes& file) {
    jpeg_decompress_struct codec{};
    jpeg_error_mgr errors{};
    codec.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&codec);
    jpeg_mem_src(&codec, reinterpret_cast<const unsigned char*>(file.data()), file.size());
    jpeg_read_header(&codec, TRUE);
    jpeg_start_decompress(&codec);
    Image image{static_cast<int>(codec.output_width), static_cast<int>(codec.output_height), codec.output_components, {}};
    image.pixels.resize(std::size_t{codec.output_width} * codec.output_height * static_cast<std::size_t>(codec.output_components));
    while (codec.output_scanline < codec.output_height) {
        auto row = const_cast<JSAMPROW>(image.row(static_cast<int>(codec.output_scanline)).data());
        jpeg_read_scanlines(&codec, &row, 1);
    }
    jpeg_finish_decompress(&codec);
    jpeg_destroy_decompress(&codec);
    return image;
}

Image gradient(int width, int height, int channels) {
    Image image{width, height, channels, {}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c) image.pixels.push_back(static_cast<std::uint8_t>(40 + 3 * x + 2 * y + 20 * c));
    }
    return image;
}

PictureText text_in(const Bytes& file) { return inspect_picture(file, "a.jpg").text; }

/// The bytes a text of n ASCII characters needs in EXIF: marks, two directories, and two bytes a character.
constexpr std::size_t exif_overhead = 6 + 44 + 8;

}  // namespace

TEST_CASE("a smooth picture survives JPEG") {
    // At quality 95 the quantiser's steps are 2 to 12: a gradient moves by a few levels at most.
    constexpr int largest_error = 4;
    for (const int channels : {1, 3}) {
        const auto image = gradient(40, 24, channels);
        const auto back = decoded(written(image, ImageFormat::jpeg));
        REQUIRE(back.pixels.size() == image.pixels.size());
        for (std::size_t i = 0; i < image.pixels.size(); ++i) CHECK(std::abs(back.pixels[i] - image.pixels[i]) <= largest_error);
    }
}

TEST_CASE("colour keeps its full resolution") {
    // Columns of red and blue, one pixel wide, would run together if colour were halved.
    Image stripes{16, 16, 3, {}};
    for (int i = 0; i < 256; ++i) {
        const std::uint8_t red = i % 2 == 0 ? 220 : 30, blue = i % 2 == 0 ? 30 : 220;
        stripes.pixels.insert(stripes.pixels.end(), {red, 40, blue});
    }
    const auto back = decoded(written(stripes, ImageFormat::jpeg));
    CHECK(back.pixels[0] > 180);
    CHECK(back.pixels[3] < 70);
}

TEST_CASE("equal pictures give equal bytes; quality changes them") {
    const auto image = pattern(33, 17, 3);
    CHECK(written(image, ImageFormat::jpeg, {"t", "x"}) == written(image, ImageFormat::jpeg, {"t", "x"}));
    CHECK(written(image, ImageFormat::jpeg, {}, 30).size() < written(image, ImageFormat::jpeg, {}, 95).size());
    for (const int quality : {0, 101, -1}) CHECK(failure([&] { written(image, ImageFormat::jpeg, {}, quality); }) == ExitCode::usage);
    CHECK(failure([&] { written(pattern(3, 3, 4), ImageFormat::jpeg); }) == ExitCode::usage);
}

TEST_CASE("text lies in front of the picture: EXIF, then XMP") {
    const auto file = written(pattern(8, 8, 3), ImageFormat::jpeg, {"hello", "<x/>"});
    const auto text = to_text(file);
    const auto exif = text.find(
                   "\xFF\xE1\x00\x46"
                   "Exif\0\0"s),
               xmp = text.find("\xFF\xE1\x00\x23http://ns.adobe.com/xap/1.0/\0<x/>"s);
    CHECK(exif == 20);  // after the 2 bytes of the start mark and the 18 of JFIF
    CHECK(xmp == exif + 2 + 0x46);
    CHECK(to_text(written(pattern(8, 8, 3), ImageFormat::jpeg)).find("\xFF\xE1") == std::string_view::npos);
}

TEST_CASE("text comes back as it went in") {
    for (const std::string parameters : {"", "one line", "two\nlines: a, b", "caf\xC3\xA9 \xF0\x9F\x8D\x8E"}) {
        const auto found = inspect_picture(written(pattern(5, 3, 3), ImageFormat::jpeg, {parameters, "<p>\xE2\x82\xAC</p>"}), "a.jpg");
        CHECK(found.text.parameters == parameters);
        CHECK(found.text.xmp == "<p>\xE2\x82\xAC</p>");
        CHECK(found.format == ImageFormat::jpeg);
        CHECK(found.width == 5);
        CHECK(found.height == 3);
        CHECK(found.channels == 3);
    }
}

TEST_CASE("text larger than a segment is refused by its size") {
    const std::string fits((65533 - exif_overhead) / 2, 'x');
    CHECK(text_in(written(pattern(2, 2, 3), ImageFormat::jpeg, {fits, ""})).parameters == fits);
    check_error(ExitCode::data, {"needs 65534 bytes", "holds 65533", "PNG"},
                [&] { written(pattern(2, 2, 3), ImageFormat::jpeg, {fits + "x", ""}); });
    CHECK(failure([&] { written(pattern(2, 2, 3), ImageFormat::jpeg, {"", std::string(65533, 'x')}); }) == ExitCode::data);
}

TEST_CASE("a JPEG cut at any byte, garbage, and pictures beyond the limits") {
    const auto file = written(pattern(9, 7, 3), ImageFormat::jpeg, {"some text", "<x/>"});
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        CHECK(failure([&] { inspect_picture({file.data(), size}, "a.jpg"); }) == ExitCode::data);
    }
    CHECK(failure([&] { inspect_picture(to_bytes("\xFF\xD8\xFF garbage"), "a"); }) == ExitCode::data);
    CHECK(failure([&] { inspect_picture(to_bytes("\xFF\xD8\xFF\xD9"), "a"); }) == ExitCode::data);
    CHECK(failure([&] { inspect_picture(to_bytes("\xFF\xD8\xFF" + std::string(1000, '\xFF')), "a"); }) == ExitCode::data);

    auto wide = std::string(to_text(file));
    const auto frame = wide.find("\xFF\xC0");
    REQUIRE(frame != std::string::npos);
    wide.replace(frame + 5, 4, "\xFF\x00\xFF\x00"s);
    CHECK(failure([&] { inspect_picture(to_bytes(wide), "a"); }) == ExitCode::refused);
}

TEST_CASE("a JPEG with bad text is refused") {
    const auto file = std::string(to_text(written(pattern(4, 4, 3), ImageFormat::jpeg, {"text", "<x/>"})));
    auto bad_xmp = file;
    bad_xmp[bad_xmp.find("<x/>")] = '\xFF';
    CHECK(failure([&] { inspect_picture(to_bytes(bad_xmp), "a"); }) == ExitCode::data);
    auto bad_exif = file;
    bad_exif[bad_exif.find("MM")] = '?';
    CHECK(failure([&] { inspect_picture(to_bytes(bad_exif), "a"); }) == ExitCode::data);
}
