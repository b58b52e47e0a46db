#include "lib/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace lcm {

namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The length of the ASCII text in front, in steps of eight bytes.
std::size_t ascii_prefix(std::string_view text) {
    std::size_t length = 0;
    std::uint64_t word;
    while (length + sizeof word <= text.size()) {
        std::memcpy(&word, text.data() + length, sizeof word);
        if (word & 0x8080808080808080u) break;
        length += sizeof word;
    }
    return length;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

bool is_bidirectional_control(char32_t c) {
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

// Edit distance with adjacent swaps counted as one slip.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before, previous(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = previous[j - 1] + (a[i - 1] != b[j - 1]);
            current[j] = std::min({replaced, previous[j] + 1, current[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) current[j] = std::min(current[j], before[j - 2] + 1);
        }
        before = previous;
        std::swap(previous, current);
    }
    return previous[b.size()];
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
    char32_t value = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) return {};
        value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    return overlong || surrogate || value > 0x10FFFF ? CodePoint{} : CodePoint{value, length};
}

bool is_utf8(std::string_view text) {
    while (true) {
        text.remove_prefix(ascii_prefix(text));
        if (text.empty()) return true;
        const std::size_t length = decode_utf8(text).length;
        if (length == 0) return false;
        text.remove_prefix(length);
    }
}

std::string escape_control(std::string_view text) {
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        const CodePoint point = decode_utf8(text);
        const std::size_t length = std::max<std::size_t>(point.length, 1);
        if (point.length == 0 || (point.length == 1 && is_control(point.value)))
            safe += fmt::format("\\x{:02X}", static_cast<unsigned char>(text.front()));
        else if (is_control(point.value) || is_bidirectional_control(point.value))
            safe += fmt::format("\\u{{{:X}}}", static_cast<std::uint32_t>(point.value));
        else
            safe += text.substr(0, length);
        text.remove_prefix(length);
    }
    return safe;
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
    std::string best;
    std::size_t best_distance = word.size() / 3 + 2;  // up to one slip in three letters, and one more
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

}  // namespace lcm
