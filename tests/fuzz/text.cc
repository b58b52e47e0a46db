// Any bytes become text that is safe to print, and UTF-8 means the same to all who ask.

#include "lib/base/text.h"

#include "lib/base/json.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lcm;

// The one way to write a code point, by the definition (RFC 3629, section 3).
std::string encoded(char32_t c) {
    const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
    if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

// C0, DEL, C1 and the controls of the bidirectional algorithm.
bool is_printable(char32_t c) {
    const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
    const bool mark = c == 0x61C || c == 0x200E || c == 0x200F;
    return !control && !mark && !(c >= 0x202A && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);
}

struct Walk {
    bool well_formed = true, printable = true;
};

Walk walk(std::string_view text) {
    Walk seen;
    while (!text.empty()) {
        const CodePoint point = decode_utf8(text);
        if (point.length == 0) return {false, false};
        const bool scalar = point.value <= 0x10FFFF && (point.value < 0xD800 || point.value > 0xDFFF);
        fuzz::expect(scalar && encoded(point.value) == text.substr(0, point.length), "a code point is written in one way only");
        seen.printable = seen.printable && is_printable(point.value);
        text.remove_prefix(point.length);
    }
    return seen;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    const Walk seen = walk(text);
    fuzz::expect(is_utf8(text) == seen.well_formed, "is_utf8 accepts what decodes from end to end");

    const std::string safe = escape_control(text);
    fuzz::expect(is_utf8(safe) && walk(safe).printable, "what is escaped is printable UTF-8");
    fuzz::expect(escape_control(safe) == safe, "what is escaped has nothing left to escape");
    if (seen.printable) fuzz::expect(safe == text, "printable text stays as it is");

    if (seen.well_formed) fuzz::expect(parse_json(json_quote(text), "text").as_string() == text, "a text in quotes is read back equal");
    return 0;
}
