#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lcm {

/// A token that the configuration adds to the words of the vocabulary.
struct AddedToken {
    std::string content;
    bool normalized = false;  ///< found in the normalised prompt (so in any case of letters), else in the prompt as written
    bool special = true;
    bool plain = false;  ///< written as a bare string, which leaves both flags at their defaults

    bool operator==(const AddedToken&) const = default;
};

/// What `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` of a folder say together, by the rules of
/// transformers 5: where the first has "added_tokens_decoder" the other two are not read; else the second overrules the first.
struct TokenizerConfig {
    std::string bos = "<|startoftext|>", eos = "<|endoftext|>", unknown = "<|endoftext|>", pad = "<|endoftext|>";
    std::size_t length = 0;         ///< "model_max_length", 77 in the published models
    std::vector<AddedToken> added;  ///< in the order they are added; the last of several with one content counts

    /// @throws Error(no_input), Error(data): a setting that no CLIP tokenizer uses is refused, never ignored
    static TokenizerConfig read(const std::string& folder);

    /// What the published models say. @param pads_with_zero  pad with "!" (id 0), as OpenCLIP's do, which makes "!" a token of its own
    static TokenizerConfig published(bool pads_with_zero);
};

}  // namespace lcm
