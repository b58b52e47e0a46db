// Built where utf8proc is not found: prompts of ASCII work all the same.
#include <algorithm>

#include "lib/base/error.h"
#include "lib/input/text/unicode.h"

namespace lcm::unicode {

std::u32string compose(std::u32string_view text) {
    if (std::any_of(text.begin(), text.end(), [](char32_t point) { return point >= 0x80; })) {
        throw Error(ExitCode::unavailable, "prompt", "this build has no Unicode tables and reads ASCII prompts only",
                    "build with -Dunicode=enabled (libutf8proc), or write the prompt in ASCII");
    }
    return std::u32string(text);
}

Class class_of(char32_t point) {
    if ((point >= U'a' && point <= U'z') || (point >= U'A' && point <= U'Z')) return Class::letter;
    if (point >= U'0' && point <= U'9') return Class::number;
    return point == U' ' || (point >= 0x09 && point <= 0x0D) ? Class::space : Class::other;
}

void append_lower(char32_t point, std::u32string& out) { out.push_back(point >= U'A' && point <= U'Z' ? point + 32 : point); }

}  // namespace lcm::unicode
