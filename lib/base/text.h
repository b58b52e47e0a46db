#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lcm {

/// True for well-formed UTF-8: no overlong forms, no surrogates, at most U+10FFFF.
bool is_utf8(std::string_view text);

/// One code point of a text.
struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0;  ///< bytes of its UTF-8; 0 when that is malformed
};

/// The code point at the front of `text`, which must not be empty.
CodePoint decode_utf8(std::string_view text);

/// `text` made safe for a terminal or a one-line message: C0, DEL, C1 and bidirectional controls become `\xNN` or `\u{NNNN}`,
/// bytes that are no UTF-8 become `\xNN`.
std::string escape_control(std::string_view text);

/// The candidate nearest to `word` by edit distance when it is near enough to be a slip, else empty.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace lcm
