#include <doctest/doctest.h>

#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using namespace lcm::test;
using namespace std::string_literals;

namespace {

Image read(const Bytes& file) { return read_png(file, "a.png"); }

std::vector<std::string> chunk_types(const Bytes& file) {
    std::vector<std::string> types;
    const auto text = to_text(file);
    for (std::size_t at = 8; at < text.size();) {
        std::uint32_t length = 0;
        for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(text[at + i]);
        types.emplace_back(text.substr(at + 4, 4));
        at += 12 + length;
    }
    return types;
}

}  // namespace

TEST_CASE("RGB pixels come back unchanged, grey is spread, alpha is dropped") {
    const auto color = pattern(13, 9, 3);
    CHECK(read(written(color, ImageFormat::png)).pixels == color.pixels);

    const auto grey = pattern(13, 9, 1), alpha = pattern(13, 9, 4);
    const auto from_grey = read(written(grey, ImageFormat::png)), from_alpha = read(written(alpha, ImageFormat::png));
    CHECK(from_grey.channels == 3);
    CHECK(from_alpha.channels == 3);
    for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            CHECK(from_grey.pixels[3 * i + c] == grey.pixels[i]);
            CHECK(from_alpha.pixels[3 * i + c] == alpha.pixels[4 * i + c]);
        }
    }
}

TEST_CASE("equal pictures give equal bytes, with text before the pixels and no time") {
    const PictureText text{"a red apple\nSteps: 4", "<x:xmpmeta/>"};
    const auto file = written(pattern(32, 32, 3), ImageFormat::png, text);
    CHECK(file == written(pattern(32, 32, 3), ImageFormat::png, text));
    CHECK(chunk_types(file) == std::vector{"IHDR"s, "tEXt"s, "iTXt"s, "IDAT"s, "IEND"s});
    CHECK(chunk_types(written(pattern(4, 4, 3), ImageFormat::png)) == std::vector{"IHDR"s, "IDAT"s, "IEND"s});
}

TEST_CASE("text is tEXt when Latin-1 has all of it, else iTXt") {
    const auto file_with = [](const std::string& parameters) { return written(pattern(4, 4, 3), ImageFormat::png, {parameters, ""}); };
    CHECK(to_text(file_with("caf\xC3\xA9")).find("tEXtparameters\0caf\xE9"s) != std::string_view::npos);
    CHECK(to_text(file_with("\xE2\x82\xAC 5")).find("iTXtparameters\0\0\0\0\0\xE2\x82\xAC 5"s) != std::string_view::npos);
}

TEST_CASE("text comes back as it went in") {
    for (const std::string parameters : {"", "one line", "two\nlines: a, b", "caf\xC3\xA9", "\xF0\x9F\x8D\x8E", "\x1B]52;c;x"}) {
        const auto found = inspect_picture(written(pattern(5, 3, 3), ImageFormat::png, {parameters, "<p>\xE2\x82\xAC</p>"}), "a.png");
        CHECK(found.text.parameters == parameters);
        CHECK(found.text.xmp == "<p>\xE2\x82\xAC</p>");
        CHECK(found.format == ImageFormat::png);
        CHECK(found.width == 5);
        CHECK(found.height == 3);
        CHECK(found.channels == 3);
    }
    const auto large = std::string(1 << 20, 'x');
    CHECK(failure([&] { written(pattern(2, 2, 3), ImageFormat::png, {large + "x", ""}); }) == ExitCode::data);
}

TEST_CASE("text of other programs is found after the pixels and in zTXt") {
    const auto after = png_file({.rows = "\0\x10"s, .after = png_chunk("tEXt", "parameters\0late"s)});
    CHECK(inspect_picture(after, "a").text.parameters == "late");
    const auto packed = png_file({.extra = png_chunk("zTXt", "parameters\0\0"s + deflated("packed")), .rows = "\0\x10"s});
    CHECK(inspect_picture(packed, "a").text.parameters == "packed");
}

TEST_CASE("16 bits are narrowed and palettes expanded") {
    // 0x8080 is 128.5 / 255 of white: round(0x8080 * 255 / 65535) = 128.
    const auto deep = read(png_file({.width = 2, .depth = 16, .rows = "\0\x80\x80\xFF\xFF"s}));
    CHECK(deep.pixels == std::vector<std::uint8_t>{128, 128, 128, 255, 255, 255});
    const auto extra = png_chunk("PLTE", "\x01\x02\x03\xFA\xFB\xFC"s) + png_chunk("tRNS", "\x00\x80"s);
    const auto palette = read(png_file({.width = 2, .depth = 1, .color_type = 3, .extra = extra, .rows = "\0\x40"s}));
    CHECK(palette.pixels == std::vector<std::uint8_t>{1, 2, 3, 250, 251, 252});
    const auto one_bit = read(png_file({.width = 2, .depth = 1, .rows = "\0\x40"s}));
    CHECK(one_bit.pixels == std::vector<std::uint8_t>{0, 0, 0, 255, 255, 255});
}

TEST_CASE("interlaced pictures are read") {
    constexpr int size = 8, starts[7][2] = {{0, 0}, {4, 0}, {0, 4}, {2, 0}, {0, 2}, {1, 0}, {0, 1}};
    constexpr int steps[7][2] = {{8, 8}, {8, 8}, {4, 8}, {4, 4}, {2, 4}, {2, 2}, {1, 2}};
    std::string rows;
    for (int pass = 0; pass < 7; ++pass) {
        for (int y = starts[pass][1]; y < size; y += steps[pass][1]) {
            rows += '\0';
            for (int x = starts[pass][0]; x < size; x += steps[pass][0]) rows += static_cast<char>(16 * y + x);
        }
    }
    const auto file = png_file({.width = size, .height = size, .interlaced = true, .rows = rows});
    const auto image = read(file);
    for (int y = 0; y < size; ++y)
        for (int x = 0; x < size; ++x) CHECK(image.row(y)[static_cast<std::size_t>(3 * x)] == 16 * y + x);
    CHECK(inspect_picture(file, "a").width == size);

    auto cut = rows;
    cut.resize(rows.size() - 5);
    const auto damaged = png_file({.width = size, .height = size, .interlaced = true, .rows = cut});
    CHECK(failure([&] { read(damaged); }) == ExitCode::data);
    CHECK(failure([&] { inspect_picture(damaged, "a"); }) == ExitCode::data);
}
