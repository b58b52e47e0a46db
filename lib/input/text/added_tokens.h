#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lcm {

/// Tokens that are found in a prompt as a whole, before words are split: the leftmost first, of several at one place the longest.
class AddedTokens {
public:
    struct Piece {
        std::u32string_view text;        ///< a view of what was split
        std::optional<std::int32_t> id;  ///< of an added token; none for plain text
    };

    /// @param text  not empty
    void add(std::u32string text, std::int32_t id);

    /// `text` cut into plain text and added tokens, in order; nothing for an empty text.
    std::vector<Piece> split(std::u32string_view text) const;

private:
    struct Token {
        std::u32string text;
        std::int32_t id;
    };

    const Token* match_at_start(std::u32string_view text) const;

    std::vector<Token> tokens_;
};

}  // namespace lcm
