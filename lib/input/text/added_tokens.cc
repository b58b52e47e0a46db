#include "lib/input/text/added_tokens.h"

#include <utility>

namespace lcm {

void AddedTokens::add(std::u32string text, std::int32_t id) { tokens_.push_back({std::move(text), id}); }

const AddedTokens::Token* AddedTokens::match_at_start(std::u32string_view text) const {
    const Token* longest = nullptr;
    for (const Token& token : tokens_)
        if (text.starts_with(token.text) && (longest == nullptr || token.text.size() > longest->text.size())) longest = &token;
    return longest;
}

std::vector<AddedTokens::Piece> AddedTokens::split(std::u32string_view text) const {
    std::vector<Piece> pieces;
    std::size_t plain = 0;
    for (std::size_t i = 0; i < text.size();) {
        const Token* token = match_at_start(text.substr(i));
        if (token == nullptr) {
            ++i;
            continue;
        }
        if (i > plain) pieces.push_back({text.substr(plain, i - plain), std::nullopt});
        pieces.push_back({text.substr(i, token->text.size()), token->id});
        i += token->text.size();
        plain = i;
    }
    if (plain < text.size()) pieces.push_back({text.substr(plain), std::nullopt});
    return pieces;
}

}  // namespace lcm
