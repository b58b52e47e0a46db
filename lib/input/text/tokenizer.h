#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/input/text/bpe.h"
#include "lib/input/text/tokenizer_config.h"

namespace lcm {

/// The CLIP byte-pair tokenizer, exact to `CLIPTokenizer` of transformers 5 (lcm-facts, section 8).
class Tokenizer {
public:
    /// Reads vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json of a tokenizer folder.
    /// @throws Error(no_input), Error(data)
    static Tokenizer open(const std::string& folder);
    /// CLIP's published vocabulary, which follows from its `merges.txt` alone.
    /// @param pads_with_zero  as TokenizerConfig::published. @throws Error(no_input), Error(data)
    static Tokenizer open_published(const std::string& merges_path, bool pads_with_zero);
    ~Tokenizer();
    Tokenizer(Tokenizer&&) noexcept;

    /// Ids without truncation or padding: BOS, the prompt, EOS. @throws Error(data) for invalid UTF-8;
    ///         Error(unavailable) for text beyond ASCII in a build without Unicode tables
    std::vector<std::int32_t> encode(std::string_view prompt) const;
    /// The same without BOS and EOS: ids of a part of a prompt.
    std::vector<std::int32_t> encode_part(std::string_view part) const;

    /// Exactly `length()` ids: truncated to BOS + prompt + EOS, padded with the padding token.
    /// @param truncated  set to the number of prompt tokens that were cut off, when not null
    std::vector<std::int32_t> encode_padded(std::string_view prompt, std::size_t* truncated = nullptr) const;

    /// Ids of one network input, 77 in the published models.
    std::size_t length() const;
    std::int32_t bos() const;
    std::int32_t eos() const;
    std::int32_t pad() const;

private:
    struct State;
    explicit Tokenizer(std::unique_ptr<State> state);
    static Tokenizer make(const TokenizerConfig& config, const Vocabulary& vocabulary, const std::string& merges_path);
    std::unique_ptr<State> state_;
};

}  // namespace lcm
