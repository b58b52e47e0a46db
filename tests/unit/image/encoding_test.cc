#include "lib/image/encoding.h"

#include <doctest/doctest.h>

using namespace lcm;

TEST_CASE("UTF-8 and UTF-16 carry the same text") {
    const std::string utf8 = "a\xC2\xA2\xE2\x82\xAC\xF0\x9F\x8D\x8E";
    const std::u16string utf16 = u"a\u00A2\u20AC\U0001F34E";
    CHECK(utf8_to_utf16(utf8) == utf16);
    CHECK(utf16_to_utf8(utf16) == utf8);
    CHECK(utf16_to_utf8(u"\uFFFF\U0010FFFF") == "\xEF\xBF\xBF\xF4\x8F\xBF\xBF");
    CHECK(utf8_to_utf16("") == u"");
}

TEST_CASE("a lone surrogate is no text") {
    const char16_t high = 0xD83C, low = 0xDF4E;
    CHECK_FALSE(utf16_to_utf8(std::u16string{high}));
    CHECK_FALSE(utf16_to_utf8(std::u16string{low}));
    CHECK_FALSE(utf16_to_utf8(std::u16string{high, u'a'}));
    CHECK_FALSE(utf16_to_utf8(std::u16string{low, high}));
}

TEST_CASE("Latin-1 ends at U+00FF") {
    CHECK(utf8_to_latin1("caf\xC3\xA9 \xC3\xBF") == "caf\xE9 \xFF");
    CHECK(latin1_to_utf8("caf\xE9 \xFF") == "caf\xC3\xA9 \xC3\xBF");
    CHECK_FALSE(utf8_to_latin1("\xC4\x80"));
}
