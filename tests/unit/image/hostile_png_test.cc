#include <doctest/doctest.h>

#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using namespace lcm::test;
using namespace std::string_literals;

namespace {

/// Both ways to read a file must refuse it.
void check_refused(const Bytes& file, ExitCode code = ExitCode::data) {
    CHECK(failure([&] { read_png(file, "a.png"); }) == code);
    CHECK(failure([&] { inspect_picture(file, "a.png"); }) == code);
}

}  // namespace

TEST_CASE("sizes beyond the limits") {
    check_refused(png_file({.width = 0x80000000u, .rows = "\0\0"s}));
    check_refused(png_file({.height = 0x80000000u, .rows = "\0\0"s}));
    check_refused(png_file({.width = 0x7FFFFFFF, .height = 0x7FFFFFFF, .rows = "\0\0"s}));
    check_refused(png_file({.width = 16385, .rows = "\0\0"s}));
    check_refused(png_file({.width = 0, .rows = "\0"s}));
    check_refused(png_file({.height = 0, .rows = ""s}));
    check_refused(png_file({.width = 16000, .height = 16000, .rows = "\0\0"s}), ExitCode::refused);
}

TEST_CASE("a header that promises more than the file can hold") {
    check_refused(png_file({.width = 8000, .height = 8000, .color_type = 2, .rows = "\0\0"s}));
}

TEST_CASE("a file cut at any byte") {
    const auto file = written(pattern(7, 5, 3), ImageFormat::png, {"some \xE2\x82\xAC text", "<x/>"});
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        check_refused({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)});
    }
}

TEST_CASE("a file with any one bit flipped") {
    const auto file = written(pattern(7, 5, 3), ImageFormat::png, {"some \xE2\x82\xAC text", "<x/>"});
    for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
        auto damaged = file;
        damaged[bit / 8] ^= std::byte{1} << bit % 8;
        CAPTURE(bit);
        CHECK(failure([&] { inspect_picture(damaged, "a.png"); }).has_value());
    }
}

TEST_CASE("text that grows when unpacked") {
    const auto bomb = "parameters\0\0"s + deflated(std::string(std::size_t{2} << 20, 'x'));
    const auto with = [](const std::string& chunks) { return png_file({.extra = chunks, .rows = "\0\0"s}); };
    check_refused(with(png_chunk("zTXt", bomb)));
    check_refused(with(png_chunk("iTXt", "parameters\0\1\0\0\0"s + deflated(std::string(std::size_t{2} << 20, 'x')))));
    check_refused(with(png_chunk("tEXt", "parameters\0"s + std::string(std::size_t{2} << 20, 'x'))));

    // Each of these is within the limit of one text; together they are not.
    const auto large = png_chunk("zTXt", "k\0\0"s + deflated(std::string(1'000'000, 'x')));
    std::string many;
    for (int i = 0; i < 50; ++i) many += large;
    check_refused(with(many));

    std::string tiny;
    for (int i = 0; i < 1100; ++i) tiny += png_chunk("tEXt", "k\0v"s);
    check_refused(with(tiny));
}

TEST_CASE("text that is no text") {
    check_refused(png_file({.extra = png_chunk("zTXt", "parameters\0\0garbage"s), .rows = "\0\0"s}));
    const auto no_utf8 = png_file({.extra = png_chunk("iTXt", "parameters\0\0\0\0\0\xFF\xFE"s), .rows = "\0\0"s});
    CHECK(failure([&] { inspect_picture(no_utf8, "a.png"); }) == ExitCode::data);
}

TEST_CASE("other chunks are passed over, damaged or not: animation, colour profiles, private data") {
    const auto extra = png_chunk("acTL", "\0\0\0\2\0\0\0\0"s) + png_chunk("iCCP", "x\0\0no deflate stream"s) + png_chunk("prVt", "\1\2\3"s);
    const auto file = png_file({.extra = extra, .rows = "\0\x2A"s, .after = png_chunk("fdAT", "\0\0\0\1garbage"s)});
    CHECK(read_png(file, "a.png").pixels == std::vector<std::uint8_t>{42, 42, 42});
    CHECK(inspect_picture(file, "a.png").width == 1);
}

TEST_CASE("wrong structure") {
    check_refused(to_bytes("\x89PNG\r\n\x1a\n"));
    check_refused(to_bytes("\x89PNG\r\n\x1a\n" + png_chunk("IEND", "")));
    check_refused(png_file({.depth = 3, .rows = "\0\0"s}));
    check_refused(png_file({.color_type = 3, .rows = "\0\0"s}));                                   // no palette
    check_refused(png_file({.extra = png_chunk("CrIt", "unknown and needed"), .rows = "\0\0"s}));  // an unknown critical chunk
    check_refused(png_file({.rows = "\x09\0"s}));                                                  // no such filter
    check_refused(png_file({.rows = "\0\0\0\0\0\0"s}));                                            // more pixels than the header says
}
