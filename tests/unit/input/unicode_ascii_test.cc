// The stand-in for Unicode tables, which the other tests of this folder do not link.
#include <doctest/doctest.h>

#include <string>

#include "lib/input/text/unicode.h"
#include "lib/input/text/words.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

TEST_CASE("a build without tables reads ASCII") {
    const std::u32string text = normalize_prompt(U"A Cat's\t\n 12 [z]\x1c\x7f");
    CHECK(text == U"a cat's 12 [z]\x1c\x7f");
    std::string words;
    for (const std::u32string_view word : split_words(text)) words += unicode::encode(word) + "|";
    CHECK(words == "a|cat|'s|1|2|[|z|]\x1c\x7f|");
}

TEST_CASE("and says what it lacks for all else") {
    for (const char32_t* text : {U"\x80", U"caf\u00e9", U"a\u3000b", U"\U0001F600"})
        check_error(ExitCode::unavailable, {"ASCII", "utf8proc"}, [text] { normalize_prompt(text); });
}
