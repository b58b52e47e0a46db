#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace lcm {

/// Lets a table of strings be asked with a view of one.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

/// Ids of tokens by their text, which spells bytes by printable characters (`vocab.json`).
using Vocabulary = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

/// Reads `vocab.json`: an object of ids. @throws Error(no_input), Error(data)
Vocabulary read_vocabulary(const std::string& path);

/// The vocabulary that follows from a list of merges, as CLIP's was made: bytes, bytes at the end of a word, the joined pairs in their
/// order, and the two marks. @throws Error(no_input), Error(data)
Vocabulary vocabulary_of_merges(const std::string& merges_path);

/// Byte-pair encoding of single words, GPT-2's byte alphabet and CLIP's end-of-word mark `</w>`.
class BytePairEncoding {
public:
    /// @param merges_path  `merges.txt`: two tokens a line, the most urgent pair first; lines that begin with "#version" are comments
    /// @param unknown      text of the token that stands for symbols outside the vocabulary
    /// @throws Error(no_input), Error(data) naming the line
    BytePairEncoding(const Vocabulary& vocabulary, const std::string& merges_path, const std::string& unknown);

    /// Appends the ids of one word, given as UTF-8 and not empty. Takes n log n time.
    void encode(std::string_view word, std::vector<std::int32_t>& ids) const;

private:
    struct Merge {
        std::uint32_t rank;
        std::int32_t id;
    };

    struct Symbol {
        std::int32_t id, previous, next;  ///< neighbours by position, -1 for none
        bool removed = false;             ///< merged into the symbol on its left
    };

    void read_merges(const Vocabulary& vocabulary, const std::string& path);
    void merge(std::vector<Symbol>& symbols) const;
    const Merge* find(std::int32_t left, std::int32_t right) const;

    std::array<std::int32_t, 256> inside_, last_;  ///< ids of a byte within a word and at its end
    std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace lcm
