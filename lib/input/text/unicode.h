#pragma once

#include <string>
#include <string_view>

/// What a prompt's code points are, as the reference tokenizer (tokenizers 0.23.3) sees them.
///
/// Pinned to Unicode 15.0: exact for each code point that it assigns, whatever newer tables are linked. The reference itself mixes ages:
/// normal form C by the tables of Unicode 9, categories and lower case by tables newer than 15. The second differ from 15.0 only for code
/// points assigned later; the first are followed by a list of the marks that came after Unicode 9. A build without utf8proc knows ASCII.
namespace lcm::unicode {

/// The classes that tell words apart: general category L, general category N, White_Space, all else (marks, punctuation, symbols, ...).
enum class Class { letter, number, space, other };

/// Code points of UTF-8. @throws Error(data) naming the first byte that is none
std::u32string decode(std::string_view text);
/// UTF-8 of code points.
std::string encode(std::u32string_view text);

/// Normal form C. @throws Error(unavailable) beyond ASCII without tables
std::u32string compose(std::u32string_view text);
/// @param point  a code point that `compose` has let through
Class class_of(char32_t point);
/// Appends the full lower-case mapping of `point`, without rules of context (a final sigma is like any other).
void append_lower(char32_t point, std::u32string& out);

}  // namespace lcm::unicode
