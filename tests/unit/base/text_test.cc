#include "lib/base/text.h"

#include <doctest/doctest.h>

#include <vector>

using namespace lcm;

TEST_CASE("well-formed UTF-8 is told from malformed") {
    for (const char* good : {"", "plain", "\x7F", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80",
                             "\xF4\x8F\xBF\xBF", "eight by eight \xE2\x82\xAC and more"}) {
        CAPTURE(good);
        CHECK(is_utf8(good));
    }
    const std::vector<const char*> malformed{"\x80",
                                             "\xC0\xAF",
                                             "\xC1\xBF",
                                             "\xC2",
                                             "\xC2\x41",
                                             "\xE0\x9F\xBF",
                                             "\xE2\x82",
                                             "\xED\xA0\x80",
                                             "\xED\xBF\xBF",
                                             "\xF0\x8F\xBF\xBF",
                                             "\xF4\x90\x80\x80",
                                             "\xF5\x80\x80\x80",
                                             "\xFF",
                                             "\xFE",
                                             "long ASCII in front \xE2\x28\xA1"};
    for (const char* bad : malformed) {
        CAPTURE(bad);
        CHECK_FALSE(is_utf8(bad));
    }
}

TEST_CASE("code points are decoded with their length") {
    CHECK(decode_utf8("A").value == U'A');
    CHECK(decode_utf8("\xE2\x82\xAC!").value == U'\u20AC');
    CHECK(decode_utf8("\xE2\x82\xAC!").length == 3);
    CHECK(decode_utf8("\xF0\x9F\x8D\x8E").value == U'\U0001F34E');
    CHECK(decode_utf8("\xE2\x82").length == 0);
}

TEST_CASE("control characters never reach a terminal") {
    CHECK(escape_control("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8D\x8E") == "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8D\x8E");
    CHECK(escape_control("\x1B]52;c;\x07") == "\\x1B]52;c;\\x07");
    CHECK(escape_control("a\nb\tc\x7F") == "a\\x0Ab\\x09c\\x7F");
    CHECK(escape_control("\xC2\x9B"
                         "31m") == "\\u{9B}31m");
    CHECK(escape_control("\xE2\x80\xAE"
                         "evil\xE2\x81\xA6\xD8\x9C") == "\\u{202E}evil\\u{2066}\\u{61C}");
    CHECK(escape_control("\xFF\xE2\x82") == "\\xFF\\xE2\\x82");
    CHECK(escape_control(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("the nearest word is found when it is a slip") {
    const std::vector<std::string> flags{"steps", "guidance", "seed", "size"};
    CHECK(nearest("stesp", flags) == "steps");
    CHECK(nearest("guidnce", flags) == "guidance");
    CHECK(nearest("sed", flags) == "seed");
    CHECK(nearest("walrus", flags).empty());
    CHECK(nearest("x", flags).empty());
    CHECK(nearest("", flags).empty());
}
