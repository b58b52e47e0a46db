#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lcm {

/// True for well-formed UTF-8: no overlong forms, no surrogates, at most U+10FFFF.
bool is_utf8(std::string_view text);

/// `text` made safe for a terminal or a one-line message: C0, DEL, C1 and bidirectional controls become `\xNN` or `\u{NNNN}`,
/// bytes that are no UTF-8 become `\xNN`.
std::string escape_control(std::string_view text);

/// The candidate nearest to `word` by edit distance when it is near enough to be a slip, else empty.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace lcm
