#include "lib/input/text/tokenizer.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/input/text/added_tokens.h"
#include "lib/input/text/unicode.h"
#include "lib/input/text/words.h"

namespace lcm {

struct Tokenizer::State {
    BytePairEncoding words;
    AddedTokens as_written, normalized;
    std::size_t length = 0;
    std::int32_t bos = 0, eos = 0, pad = 0;

    void append_plain(std::u32string_view text, std::vector<std::int32_t>& ids) const;
};

namespace {

// Gives each added token its id: its own where the vocabulary has it, else the next free one.
std::unordered_map<std::string, std::int32_t> ids_of(const std::vector<AddedToken>& added, const Vocabulary& vocabulary) {
    std::unordered_map<std::string, std::int32_t> ids;
    auto next = static_cast<std::int32_t>(vocabulary.size());
    for (const AddedToken& token : added) {
        if (token.content.empty() || ids.contains(token.content)) continue;
        const auto found = vocabulary.find(token.content);
        ids[token.content] = found == vocabulary.end() ? next++ : found->second;
    }
    return ids;
}

}  // namespace

Tokenizer Tokenizer::open(const std::string& folder) {
    const TokenizerConfig config = TokenizerConfig::read(folder);
    return make(config, read_vocabulary(folder + "/vocab.json"), folder + "/merges.txt");
}

Tokenizer Tokenizer::open_published(const std::string& merges_path, bool pads_with_zero) {
    return make(TokenizerConfig::published(pads_with_zero), vocabulary_of_merges(merges_path), merges_path);
}

Tokenizer Tokenizer::make(const TokenizerConfig& config, const Vocabulary& vocabulary, const std::string& merges_path) {
    const auto ids = ids_of(config.added, vocabulary);
    State state{.words = BytePairEncoding(vocabulary, merges_path, config.unknown), .as_written = {}, .normalized = {}};
    for (const auto& [content, id] : ids) {
        const std::string& text = content;
        const auto has_text = [&text](const AddedToken& token) { return token.content == text; };
        const auto last = std::find_if(config.added.rbegin(), config.added.rend(), has_text);
        if (last->normalized)
            state.normalized.add(normalize_prompt(unicode::decode(text)), id);
        else
            state.as_written.add(unicode::decode(text), id);
    }
    const auto id_of = [&](const std::string& token) {
        const auto found = ids.find(token);
        if (found == ids.end())
            throw Error(ExitCode::data, merges_path, "the tokenizer_config.json beside it has an empty text as a special token");
        return found->second;
    };
    state.length = config.length;
    state.bos = id_of(config.bos);
    state.eos = id_of(config.eos);
    state.pad = id_of(config.pad);
    return Tokenizer(std::make_unique<State>(std::move(state)));
}

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;

void Tokenizer::State::append_plain(std::u32string_view text, std::vector<std::int32_t>& ids) const {
    const std::u32string prompt = normalize_prompt(text);
    for (const AddedTokens::Piece& piece : normalized.split(prompt)) {
        if (piece.id) {
            ids.push_back(*piece.id);
            continue;
        }
        for (const std::u32string_view word : split_words(piece.text)) words.encode(unicode::encode(word), ids);
    }
}

std::vector<std::int32_t> Tokenizer::encode_part(std::string_view part) const {
    const std::u32string points = unicode::decode(part);
    std::vector<std::int32_t> ids;
    for (const AddedTokens::Piece& piece : state_->as_written.split(points))
        if (piece.id)
            ids.push_back(*piece.id);
        else
            state_->append_plain(piece.text, ids);
    return ids;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view prompt) const {
    std::vector<std::int32_t> ids = encode_part(prompt);
    ids.insert(ids.begin(), state_->bos);
    ids.push_back(state_->eos);
    return ids;
}

std::vector<std::int32_t> Tokenizer::encode_padded(std::string_view prompt, std::size_t* truncated) const {
    std::vector<std::int32_t> ids = encode(prompt);
    const std::size_t cut = ids.size() > state_->length ? ids.size() - state_->length : 0;
    if (truncated != nullptr) *truncated = cut;
    if (cut > 0) ids[state_->length - 1] = state_->eos;
    ids.resize(state_->length, state_->pad);
    return ids;
}

std::size_t Tokenizer::length() const { return state_->length; }
std::int32_t Tokenizer::bos() const { return state_->bos; }
std::int32_t Tokenizer::eos() const { return state_->eos; }
std::int32_t Tokenizer::pad() const { return state_->pad; }

}  // namespace lcm
