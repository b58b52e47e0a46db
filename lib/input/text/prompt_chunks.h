#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/core/model/clip_text.h"
#include "lib/input/text/prompt_syntax.h"
#include "lib/input/text/textual_inversion.h"
#include "lib/input/text/tokenizer.h"

namespace lcm {

/// One input of a text encoder: BOS, 75 tokens, EOS, padding.
struct PromptChunk {
    std::vector<std::int32_t> ids;
    std::vector<float> weights;        ///< one for each id; 1 at BOS, EOS and padding
    std::vector<TokenVector> vectors;  ///< in the place of tokens, whose ids are 0

    bool is_weighted() const;
};

/// How a prompt becomes chunks for one text encoder.
struct ChunkSettings {
    PromptSyntax syntax = PromptSyntax::plain;
    Part part = Part::text_encoder;
    const std::vector<TextualInversion>* inversions = nullptr;
};

/// The chunks of a prompt, at least one. The plain syntax gives one and cuts the rest. The other two make as many as it takes: A1111 ends a
/// full chunk at a comma of its last 20 tokens, ComfyUI keeps words of fewer than 8 tokens whole.
/// @param cut  set to the number of tokens that were cut off
std::vector<PromptChunk> prompt_chunks(const std::string& prompt, const Tokenizer& tokenizer, const ChunkSettings& settings,
                                       std::size_t& cut);

}  // namespace lcm
