#include "lib/image/encoding.h"

#include <algorithm>
#include <cstdint>

#include "lib/base/text.h"

namespace lcm {
namespace {

void append_utf8(std::string& out, char32_t value) {
    const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    const auto put_tail = [&](int shift) { put(0x80 | (value >> shift & 0x3F)); };
    if (value < 0x80) {
        put(value);
    } else if (value < 0x800) {
        put(0xC0 | value >> 6);
        put_tail(0);
    } else if (value < 0x10000) {
        put(0xE0 | value >> 12);
        put_tail(6);
        put_tail(0);
    } else {
        put(0xF0 | value >> 18);
        put_tail(12);
        put_tail(6);
        put_tail(0);
    }
}

bool is_high_surrogate(char16_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(char16_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

std::u16string utf8_to_utf16(std::string_view text) {
    std::u16string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto [value, length] = decode_utf8(text);
        text.remove_prefix(length);
        if (value < 0x10000) {
            out += static_cast<char16_t>(value);
        } else {
            out += static_cast<char16_t>(0xD800 + ((value - 0x10000) >> 10));
            out += static_cast<char16_t>(0xDC00 + ((value - 0x10000) & 0x3FF));
        }
    }
    return out;
}

std::optional<std::string> utf16_to_utf8(std::u16string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_low_surrogate(text[i])) return std::nullopt;
        if (!is_high_surrogate(text[i])) {
            append_utf8(out, text[i]);
            continue;
        }
        if (i + 1 == text.size() || !is_low_surrogate(text[i + 1])) return std::nullopt;
        append_utf8(out, 0x10000 + (static_cast<char32_t>(text[i] - 0xD800) << 10 | static_cast<char32_t>(text[i + 1] - 0xDC00)));
        ++i;
    }
    return out;
}

std::optional<std::string> utf8_to_latin1(std::string_view text) {
    const auto units = utf8_to_utf16(text);
    if (std::ranges::any_of(units, [](char16_t unit) { return unit > 0xFF; })) return std::nullopt;
    std::string out(units.size(), '\0');
    std::ranges::transform(units, out.begin(), [](char16_t unit) { return static_cast<char>(unit); });
    return out;
}

std::string latin1_to_utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) append_utf8(out, static_cast<unsigned char>(c));
    return out;
}

}  // namespace lcm
