#include "lib/input/text/bpe.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <queue>
#include <tuple>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/input/text/unicode.h"

namespace lcm {

namespace {

constexpr std::uint64_t merges_limit = std::uint64_t{64} << 20;
constexpr std::string_view end_of_word = "</w>";

// GPT-2's alphabet: printable Latin-1 stands for itself, the other 68 bytes for U+0100 onwards in their order.
std::array<std::string, 256> byte_characters() {
    std::array<std::string, 256> characters;
    char32_t next = 0x100;
    for (char32_t byte = 0; byte < 256; ++byte) {
        const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
        const char32_t character = printable ? byte : next++;
        characters[byte] = unicode::encode({&character, 1});
    }
    return characters;
}

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

// A pair that could be merged: `position` of its left symbol, `id` of the result.
struct Candidate {
    std::uint32_t rank;
    std::int32_t position, id;

    bool operator>(const Candidate& other) const { return std::tie(rank, position) > std::tie(other.rank, other.position); }
};

/// Hands on the pairs of a list of merges with their line numbers.
template <typename Take>
void for_each_merge(const std::string& path, const Take& take) {
    const std::string text = read_text_file(path, merges_limit);
    std::size_t line_number = 0;
    for (std::string_view rest = text; !rest.empty();) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        ++line_number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.starts_with("#version")) continue;
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
            throw Error(ExitCode::data, fmt::format("{}: line {}", path, line_number), "expected two tokens with one space between them");
        take(line.substr(0, space), line.substr(space + 1), line_number);
    }
}

}  // namespace

Vocabulary read_vocabulary(const std::string& path) {
    Vocabulary vocabulary;
    read_json_integers(path, [&](const std::string& token, std::int64_t id) {
        if (id < 0 || id > std::numeric_limits<std::int32_t>::max())
            throw Error(ExitCode::data, fmt::format("{}: key {}", path, json_quote(token)), fmt::format("{} is no token id", id));
        return vocabulary.emplace(token, static_cast<std::int32_t>(id)).second;
    });
    return vocabulary;
}

Vocabulary vocabulary_of_merges(const std::string& merges_path) {
    Vocabulary vocabulary;
    const auto add = [&](const std::string& token) { vocabulary.emplace(token, static_cast<std::int32_t>(vocabulary.size())); };
    std::map<std::u32string, std::string> by_point;  // bytes count in the order of the characters that stand for them
    for (const std::string& character : byte_characters()) by_point.emplace(unicode::decode(character), character);
    for (const auto& [point, character] : by_point) add(character);
    for (const auto& [point, character] : by_point) add(character + std::string(end_of_word));
    for_each_merge(merges_path, [&](std::string_view left, std::string_view right, std::size_t) { add(fmt::format("{}{}", left, right)); });
    for (const char* mark : {"<|startoftext|>", "<|endoftext|>"}) add(mark);
    return vocabulary;
}

BytePairEncoding::BytePairEncoding(const Vocabulary& vocabulary, const std::string& merges_path, const std::string& unknown) {
    const auto id_of = [&](const std::string& token) {
        auto found = vocabulary.find(token);
        if (found == vocabulary.end()) found = vocabulary.find(unknown);
        if (found == vocabulary.end()) {
            throw Error(ExitCode::data, merges_path,
                        fmt::format("vocab.json beside it has neither the byte character {} nor the unknown token {}", json_quote(token),
                                    json_quote(unknown)));
        }
        return found->second;
    };
    const std::array<std::string, 256> characters = byte_characters();
    for (std::size_t byte = 0; byte < characters.size(); ++byte) {
        inside_[byte] = id_of(characters[byte]);
        last_[byte] = id_of(characters[byte] + std::string(end_of_word));
    }
    read_merges(vocabulary, merges_path);
}

void BytePairEncoding::read_merges(const Vocabulary& vocabulary, const std::string& path) {
    merges_.reserve(vocabulary.size());
    std::uint32_t rank = 0;
    std::string joined;
    for_each_merge(path, [&](std::string_view left, std::string_view right, std::size_t line) {
        const auto id_of = [&](std::string_view token) {
            const auto found = vocabulary.find(token);
            if (found == vocabulary.end())
                throw Error(ExitCode::data, fmt::format("{}: line {}", path, line), json_quote(token) + " is not in vocab.json");
            return found->second;
        };
        joined.assign(left).append(right);
        // A pair that stands there twice counts where it stands last, as in the reference.
        merges_[pair_key(id_of(left), id_of(right))] = {rank++, id_of(joined)};
    });
}

const BytePairEncoding::Merge* BytePairEncoding::find(std::int32_t left, std::int32_t right) const {
    const auto found = merges_.find(pair_key(left, right));
    return found == merges_.end() ? nullptr : &found->second;
}

void BytePairEncoding::encode(std::string_view word, std::vector<std::int32_t>& ids) const {
    const auto count = static_cast<std::int32_t>(word.size());
    std::vector<Symbol> symbols;
    symbols.reserve(word.size());
    for (std::int32_t i = 0; i < count; ++i) {
        const auto byte = static_cast<unsigned char>(word[i]);
        const bool is_last = i + 1 == count;
        symbols.push_back({is_last ? last_[byte] : inside_[byte], i - 1, is_last ? -1 : i + 1});
    }
    merge(symbols);
    for (const Symbol& symbol : symbols)
        if (!symbol.removed) ids.push_back(symbol.id);
}

void BytePairEncoding::merge(std::vector<Symbol>& symbols) const {
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto consider = [&](std::int32_t left, std::int32_t right) {
        if (left < 0 || right < 0) return;
        if (const Merge* merge = find(symbols[left].id, symbols[right].id)) queue.push({merge->rank, left, merge->id});
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) consider(static_cast<std::int32_t>(i), symbols[i].next);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol& left = symbols[best.position];
        if (left.removed || left.next < 0) continue;
        Symbol& right = symbols[left.next];
        const Merge* merge = find(left.id, right.id);
        if (merge == nullptr || merge->id != best.id) continue;  // one of the two has been merged with another since
        left.id = merge->id;
        left.next = right.next;
        right.removed = true;
        if (right.next >= 0) symbols[right.next].previous = best.position;
        consider(left.previous, best.position);
        consider(best.position, left.next);
    }
}

}  // namespace lcm
