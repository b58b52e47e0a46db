#include "lib/input/text/words.h"

#include <algorithm>
#include <array>

#include "lib/input/text/unicode.h"

namespace lcm {

namespace {

constexpr std::array<std::u32string_view, 7> endings = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
constexpr std::array<std::u32string_view, 2> marks = {U"<|startoftext|>", U"<|endoftext|>"};

std::size_t length_of_run(std::u32string_view text, unicode::Class wanted) {
    const auto end = std::find_if(text.begin(), text.end(), [wanted](char32_t point) { return unicode::class_of(point) != wanted; });
    return static_cast<std::size_t>(end - text.begin());
}

std::size_t length_of_first_word(std::u32string_view text) {
    for (const std::u32string_view ending : endings)
        if (text.starts_with(ending)) return ending.size();
    const unicode::Class first = unicode::class_of(text.front());
    return first == unicode::Class::number ? 1 : length_of_run(text, first);
}

// The two marks are words of the first split, and the byte-level stage then splits every word again by the rules of a plain word. The
// effect is to end a word behind the mark: "<|endoftext|>." gives "|>" and ".", not "|>.".
std::size_t length_of_mark(std::u32string_view text) {
    const auto* mark = std::find_if(marks.begin(), marks.end(), [text](std::u32string_view m) { return text.starts_with(m); });
    return mark == marks.end() ? 0 : mark->size();
}

}  // namespace

std::u32string normalize_prompt(std::u32string_view prompt) {
    std::u32string text;
    bool after_space = false;
    for (const char32_t point : unicode::compose(prompt)) {
        const bool space = unicode::class_of(point) == unicode::Class::space;
        if (!space)
            unicode::append_lower(point, text);
        else if (!after_space)
            text.push_back(U' ');
        after_space = space;
    }
    return text;
}

std::vector<std::u32string_view> split_words(std::u32string_view text) {
    std::vector<std::u32string_view> words;
    while (!text.empty()) {
        const std::size_t mark = length_of_mark(text);
        std::u32string_view part = text.substr(0, mark == 0 ? length_of_first_word(text) : mark);
        text.remove_prefix(part.size());
        if (unicode::class_of(part.front()) == unicode::Class::space) continue;
        for (; !part.empty(); part.remove_prefix(words.back().size())) words.push_back(part.substr(0, length_of_first_word(part)));
    }
    return words;
}

}  // namespace lcm
