#include "lib/input/text/prompt_chunks.h"

#include <algorithm>
#include <optional>

namespace lcm {
namespace {

constexpr std::size_t marks = 2;            // BOS and EOS
constexpr std::size_t comma_reach = 20;     // A1111's comma_padding_backtrack
constexpr std::size_t splittable_word = 8;  // ComfyUI's max_word_length

/// A place in a chunk: a token of the vocabulary, or a vector.
struct Token {
    std::int32_t id = 0;
    float weight = 1;
    at::Tensor vector = {};  ///< [D]; undefined: none
};
using Tokens = std::vector<Token>;

/// Makes chunks of tokens, as the settings' program does.
class ChunkMaker {
public:
    ChunkMaker(const Tokenizer& tokenizer, const ChunkSettings& settings)
        : tokenizer_(tokenizer), settings_(settings), room_(tokenizer.length() - marks), commas_(tokenizer.encode_part(",")) {}

    void add(const PromptPiece& piece) {
        if (piece.new_chunk) close();
        for (const NamedStretch& stretch : split_at_names(piece.text, *settings_.inversions)) {
            const auto weight = static_cast<float>(piece.weight);
            if (stretch.inversion != nullptr)
                add_word(tokens_of(*stretch.inversion, weight));
            else if (settings_.syntax == PromptSyntax::comfy)
                add_words(stretch.text, weight);
            else
                for (const Token& token : tokens_of(stretch.text, weight)) add_token(token);
        }
    }

    std::vector<PromptChunk> finish() {
        if (!open_.empty() || chunks_.empty()) close();
        return std::move(chunks_);
    }
    std::size_t cut() const { return cut_; }

private:
    Tokens tokens_of(std::string_view text, float weight) const {
        Tokens tokens;
        for (const std::int32_t id : tokenizer_.encode_part(text)) tokens.push_back({id, weight});
        return tokens;
    }
    Tokens tokens_of(const TextualInversion& inversion, float weight) const {
        Tokens tokens;
        for (const at::Tensor& vector : inversion.vectors.at(settings_.part).unbind(0)) tokens.push_back({0, weight, vector});
        return tokens;
    }

    void add_token(const Token& token) {
        if (settings_.syntax == PromptSyntax::plain && open_.size() == room_) {
            ++cut_;
            return;
        }
        const bool comma = !token.vector.defined() && commas_.size() == 1 && token.id == commas_.front();
        if (settings_.syntax == PromptSyntax::a1111 && !comma && open_.size() == room_) move_behind_comma();
        if (open_.size() == room_) close();
        if (comma) last_comma_ = open_.size();
        open_.push_back(token);
    }

    /// What follows a comma near the end of a full chunk begins the next one.
    void move_behind_comma() {
        if (!last_comma_ || open_.size() - *last_comma_ > comma_reach) return;
        const auto moved = open_.begin() + static_cast<std::ptrdiff_t>(*last_comma_ + 1);
        Tokens rest(moved, open_.end());
        open_.erase(moved, open_.end());
        close();
        open_ = std::move(rest);
    }

    /// Tokens that stay together where their program keeps them so.
    void add_word(const Tokens& tokens) {
        const std::size_t longest = settings_.syntax == PromptSyntax::comfy ? splittable_word - 1 : room_;
        const bool whole = settings_.syntax != PromptSyntax::plain && tokens.size() <= longest;
        if (whole && open_.size() + tokens.size() > room_) close();
        for (const Token& token : tokens) add_token(token);
    }

    void add_words(std::string_view text, float weight) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
            add_word(tokens_of(text.substr(0, end), weight));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    void close() {
        PromptChunk chunk;
        chunk.ids.assign(tokenizer_.length(), tokenizer_.pad());
        chunk.weights.assign(tokenizer_.length(), 1);
        chunk.ids.front() = tokenizer_.bos();
        for (std::size_t i = 0; i < open_.size(); ++i) {
            chunk.ids[i + 1] = open_[i].id;
            chunk.weights[i + 1] = open_[i].weight;
            if (open_[i].vector.defined()) chunk.vectors.push_back({static_cast<std::int64_t>(i) + 1, open_[i].vector});
        }
        chunk.ids[open_.size() + 1] = tokenizer_.eos();
        chunks_.push_back(std::move(chunk));
        open_.clear();
        last_comma_.reset();
    }

    const Tokenizer& tokenizer_;
    const ChunkSettings& settings_;
    std::size_t room_, cut_ = 0;
    std::vector<std::int32_t> commas_;
    Tokens open_;
    std::optional<std::size_t> last_comma_;
    std::vector<PromptChunk> chunks_;
};

}  // namespace

bool PromptChunk::is_weighted() const {
    return std::ranges::any_of(weights, [](float weight) { return weight != 1; });
}

std::vector<PromptChunk> prompt_chunks(const std::string& prompt, const Tokenizer& tokenizer, const ChunkSettings& settings,
                                       std::size_t& cut) {
    static const std::vector<TextualInversion> none;
    ChunkSettings used = settings;
    if (used.inversions == nullptr) used.inversions = &none;
    ChunkMaker maker(tokenizer, used);
    for (const PromptPiece& piece : parse_prompt(prompt, settings.syntax)) maker.add(piece);
    std::vector<PromptChunk> chunks = maker.finish();
    cut = maker.cut();
    return chunks;
}

}  // namespace lcm
