#include "lib/image/exif.h"

#include <doctest/doctest.h>

#include "tests/unit/image/picture_bytes.h"

using namespace lcm;
using namespace lcm::test;
using namespace std::string_literals;

namespace {

std::string comment(const std::string& payload) { return comment_of_exif(as_bytes(payload), "a.jpg"); }

/// One-entry directories in little-endian order, as cameras write them.
std::string little_endian_exif(const std::string& coded) {
    std::string entry = "\x86\x92\x07\x00"s + static_cast<char>(coded.size()) + "\0\0\0\x2C\0\0\0"s;
    return "Exif\0\0II*\0\x08\0\0\0"s + "\x01\0\x69\x87\x04\0\x01\0\0\0\x1A\0\0\0\0\0\0\0"s + "\x01\0"s + entry + "\0\0\0\0"s + coded;
}

}  // namespace

TEST_CASE("a UserComment is stored as UNICODE and UTF-16BE behind two directories") {
    const auto expected = "Exif\0\0MM\0*\0\0\0\x08"s + "\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1A\0\0\0\0"s +
                          "\0\x01\x92\x86\0\x07\0\0\0\x0C\0\0\0\x2C\0\0\0\0"s + "UNICODE\0\0H\0\xE9"s;
    CHECK(exif_with_comment("H\xC3\xA9") == expected);
}

TEST_CASE("a UserComment comes back as it went in") {
    for (const std::string text : {"x", "line one\nline two: a, b", "\xE2\x82\xAC \xF0\x9F\x8D\x8E"})
        CHECK(comment(exif_with_comment(text)) == text);
}

TEST_CASE("EXIF of other programs") {
    CHECK(comment(little_endian_exif("UNICODE\0\0H\0i"s)) == "Hi");
    CHECK(comment(little_endian_exif("ASCII\0\0\0plain"s)) == "plain");
    CHECK(comment(little_endian_exif("JIS\0\0\0\0\0abc"s)).empty());
    CHECK(comment(little_endian_exif("short"s)).empty());
    CHECK(comment("Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"s).empty());  // no entries
    CHECK(is_exif(as_bytes("Exif\0\0MM"s)));
    CHECK_FALSE(is_exif(as_bytes("Exif"s)));
}

TEST_CASE("damaged EXIF is refused, and loops end") {
    const auto whole = exif_with_comment("some text");
    for (std::size_t size = 6; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(failure([&] { comment(whole.substr(0, size)); }) == ExitCode::data);
    }
    auto loop = whole;
    loop.replace(6 + 18, 4, "\0\0\0\x08"s);  // the EXIF directory is the first directory again
    CHECK(comment(loop).empty());
    auto outside = whole;
    outside.replace(6 + 34, 4, "\xFF\xFF\xFF\xFF"s);  // a comment of 4 GiB
    CHECK(failure([&] { comment(outside); }) == ExitCode::data);
    CHECK(failure([&] { comment(little_endian_exif("UNICODE\0\0H\0"s)); }) == ExitCode::data);     // half a unit
    CHECK(failure([&] { comment(little_endian_exif("UNICODE\0\xD8\x00"s)); }) == ExitCode::data);  // a lone surrogate
    CHECK(failure([&] { comment("Exif\0\0XX\0*\0\0\0\x08"s); }) == ExitCode::data);
}
