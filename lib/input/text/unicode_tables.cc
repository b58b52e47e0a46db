// Built where utf8proc is found; unicode_ascii.cc stands in for it elsewhere.
#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "lib/base/error.h"
#include "lib/input/text/unicode.h"

namespace lcm::unicode {

namespace {

struct Range {
    char32_t first, last;
};

// Code points that normal form C must leave where and as they stand. All but one were added by Unicode 10 to 15 with a combining class, or
// as the second half of a pair (U+11930): the reference's normal form C knows Unicode 9 and takes them for plain characters. The one is
// U+11A7, which utf8proc 2.8 drops behind a Hangul syllable, as if it were a final consonant.
constexpr Range left_alone[] = {
    {0x07FD, 0x07FD},   {0x0898, 0x089F},   {0x08CA, 0x08D3},   {0x09FE, 0x09FE},   {0x0C3C, 0x0C3C},   {0x0D3B, 0x0D3C},
    {0x0EBA, 0x0EBA},   {0x11A7, 0x11A7},   {0x1715, 0x1715},   {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},
    {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070},
    {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11930, 0x11930}, {0x1193D, 0x1193E}, {0x11943, 0x11943},
    {0x119E0, 0x119E0}, {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45},
    {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
    {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
};

bool is_left_alone(char32_t point) {
    const auto* range =
        std::partition_point(std::begin(left_alone), std::end(left_alone), [point](const Range& r) { return r.last < point; });
    return range != std::end(left_alone) && range->first <= point;
}

using Points = std::vector<utf8proc_int32_t>;

utf8proc_propval_t combining_class(utf8proc_int32_t point) { return utf8proc_get_property(point)->combining_class; }

void append_decomposed(char32_t point, Points& out) {
    utf8proc_int32_t parts[8];  // no canonical decomposition is longer than 4
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(point), parts, std::size(parts),
                                               static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE), nullptr);
    if (count < 0 || count > static_cast<utf8proc_ssize_t>(std::size(parts)))
        throw Error(ExitCode::software, "prompt", utf8proc_errmsg(count));
    out.insert(out.end(), parts, parts + count);
}

// Canonical order. utf8proc's own sorts by exchanging neighbours, which takes seconds for a long run of marks.
void sort_marks(Points& points) {
    const auto is_starter = [](utf8proc_int32_t point) { return combining_class(point) == 0; };
    for (auto begin = points.begin(); begin != points.end();) {
        begin = std::find_if_not(begin, points.end(), is_starter);
        const auto end = std::find_if(begin, points.end(), is_starter);
        std::stable_sort(begin, end, [](auto a, auto b) { return combining_class(a) < combining_class(b); });
        begin = end;
    }
}

void append_composed(std::u32string_view text, std::u32string& out) {
    Points points;
    points.reserve(text.size());
    for (const char32_t point : text) append_decomposed(point, points);
    sort_marks(points);
    const auto count = utf8proc_normalize_utf32(points.data(), static_cast<utf8proc_ssize_t>(points.size()),
                                                static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
    out.append(points.begin(), points.begin() + count);
}

}  // namespace

std::u32string compose(std::u32string_view text) {
    std::u32string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto known = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_left_alone) - text.begin());
        append_composed(text.substr(0, known), out);
        text.remove_prefix(known);
        if (!text.empty()) {
            out.push_back(text.front());
            text.remove_prefix(1);
        }
    }
    return out;
}

Class class_of(char32_t point) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(point))) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
            return Class::letter;
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
        case UTF8PROC_CATEGORY_NO:
            return Class::number;
        case UTF8PROC_CATEGORY_ZS:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP:
            return Class::space;
        default:
            // The controls that are White_Space: tab to carriage return, and next line. U+001C to U+001F are not.
            return (point >= 0x09 && point <= 0x0D) || point == 0x85 ? Class::space : Class::other;
    }
}

void append_lower(char32_t point, std::u32string& out) {
    if (point == 0x130) {  // the one full mapping that is longer than the simple one: I with dot above
        out += U"i\u0307";
        return;
    }
    out.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point))));
}

}  // namespace lcm::unicode
