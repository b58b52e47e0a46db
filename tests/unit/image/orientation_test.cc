#include "lib/image/orientation.h"

#include <doctest/doctest.h>

#include "lib/image/exif.h"
#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using namespace lcm::test;
using namespace std::string_literals;

namespace {

/// A picture of 3 x 2 grey pixels as RGB: 1 2 3 over 4 5 6, times 40.
Image six() {
    Image image{3, 2, 3, {}};
    for (int i = 1; i <= 6; ++i)
        for (int c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(40 * i));
    return image;
}

/// The numbers of a picture like `six`, a row after the other.
std::string numbers(const Image& image) {
    std::string text;
    for (int y = 0; y < image.height; ++y) {
        if (y > 0) text += "/";
        for (int x = 0; x < image.width; ++x) text += std::to_string((image.row(y)[static_cast<std::size_t>(3 * x)] + 20) / 40);
    }
    return text;
}

// What a viewer shows of `six`, by orientation (Pillow's ImageOps.exif_transpose).
const std::string shown[] = {"123/456", "321/654", "654/321", "456/123", "14/25/36", "41/52/63", "63/52/41", "36/25/14"};

/// A TIFF structure with this orientation, as a type in either byte order.
std::string tiff(bool big_endian, int type, int value, int count = 1) {
    const auto put = [&](std::uint32_t number, int bytes) {
        std::string text;
        for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * (big_endian ? bytes - 1 - i : i));
        return text;
    };
    const std::string number = type == 3 ? put(static_cast<std::uint32_t>(value), 2) + "\0\0"s : put(static_cast<std::uint32_t>(value), 4);
    return (big_endian ? "MM" : "II") + put(42, 2) + put(8, 4) + put(1, 2) + put(0x0112, 2) + put(static_cast<std::uint32_t>(type), 2) +
           put(static_cast<std::uint32_t>(count), 4) + number + put(0, 4);
}

std::string exif(const std::string& body) { return "Exif\0\0"s + body; }

int orientation(const std::string& payload) { return orientation_of_exif(as_bytes(payload)); }

Bytes png_with(const std::string& extra, const std::string& after = {}) {
    std::string rows;
    const Image image = six();
    for (int y = 0; y < 2; ++y) {
        rows += '\0';
        for (const auto sample : image.row(y)) rows += static_cast<char>(sample);
    }
    return png_file({.width = 3, .height = 2, .color_type = 2, .extra = extra, .rows = rows, .after = after});
}

/// A JPEG of flat squares of 8 pixels, so that its losses do not matter, with `segment` behind its first two bytes.
Bytes jpeg_with(const std::string& segment) {
    Image image{24, 16, 3, {}};
    for (int y = 0; y < 16; ++y)
        for (int x = 0; x < 24; ++x)
            for (int c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(40 * (1 + x / 8 + 3 * (y / 8))));
    const Bytes file = written(image, ImageFormat::jpeg);
    const auto size = static_cast<std::uint32_t>(segment.size() + 2);
    const std::string marker = "\xFF\xE1"s + static_cast<char>(size >> 8) + static_cast<char>(size);
    const std::string_view text = to_text(file);
    return to_bytes(std::string(text.substr(0, 2)) + marker + segment + std::string(text.substr(2)));
}

/// The middles of the squares of such a picture.
Image small(const Image& image) {
    Image result{image.width / 8, image.height / 8, 3, {}};
    for (int y = 0; y < result.height; ++y)
        for (int x = 0; x < result.width; ++x)
            for (int c = 0; c < 3; ++c) result.pixels.push_back(image.row(8 * y + 4)[static_cast<std::size_t>(3 * (8 * x + 4) + c)]);
    return result;
}

}  // namespace

TEST_CASE("each orientation is turned upright") {
    for (int turn = 1; turn <= 8; ++turn) {
        CAPTURE(turn);
        CHECK(numbers(upright({six(), turn})) == shown[turn - 1]);
        for (const bool big_endian : {false, true}) {
            const std::string body = tiff(big_endian, 3, turn);
            CHECK(numbers(read_image(png_with(png_chunk("eXIf", body)), "a.png")) == shown[turn - 1]);
            CHECK(numbers(small(read_image(jpeg_with(exif(body)), "a.jpg"))) == shown[turn - 1]);
        }
    }
}

TEST_CASE("a PNG's EXIF may stand behind its pixels and carry JPEG's mark; as stored it is not turned") {
    const std::string chunk = png_chunk("eXIf", exif(tiff(true, 4, 6)));
    CHECK(numbers(read_image(png_with("", chunk), "a.png")) == shown[5]);
    CHECK(numbers(read_png(png_with("", chunk), "a.png")) == shown[0]);
    const auto look = inspect_picture(png_with(chunk), "a.png");
    CHECK(look.width == 3);
}

TEST_CASE("EXIF that is broken or says nonsense turns nothing and refuses nothing") {
    for (const int value : {0, 9, 255, 65535}) CHECK(orientation(exif(tiff(true, 3, value))) == 1);
    CHECK(orientation(tiff(false, 4, -1)) == 1);
    CHECK(orientation(tiff(true, 3, 6, 2)) == 1);  // two numbers
    CHECK(orientation(tiff(true, 3, 6, 0)) == 1);  // none
    CHECK(orientation(tiff(true, 5, 6)) == 1);     // a fraction
    const std::string whole = tiff(true, 3, 6);
    for (std::size_t size = 0; size < whole.size() - 6; ++size) CHECK(orientation(whole.substr(0, size)) == 1);
    std::string outside = whole, endless = whole;
    outside.replace(4, 4, "\xFF\xFF\xFF\xFF"s);  // a directory 4 GiB away
    endless.replace(8, 2, "\xFF\xFF"s);          // of 65,535 entries
    endless.replace(10, 2, "\0\0"s);
    for (const std::string& body : {outside, endless, ""s, "MM"s, "garbage"s}) {
        CHECK(orientation(body) == 1);
        CHECK(numbers(read_image(png_with(png_chunk("eXIf", body)), "a.png")) == shown[0]);
        CHECK(numbers(small(read_image(jpeg_with(exif(body)), "a.jpg"))) == shown[0]);
    }
}

TEST_CASE("the first EXIF counts") {
    const std::string turned = png_chunk("eXIf", tiff(true, 3, 6)), other = png_chunk("eXIf", tiff(true, 3, 3));
    CHECK(numbers(read_image(png_with(turned, other), "a.png")) == shown[5]);
}
