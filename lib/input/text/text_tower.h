#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/core/bundle/bundle.h"
#include "lib/input/text/prompt_chunks.h"
#include "lib/input/text/tokenizer.h"

namespace lcm {

/// The tokenizer that belongs to a text encoder of the bundle: its own, else the published one. @throws as Tokenizer::open
Tokenizer open_tokenizer(const Bundle& bundle, Part part);

/// What a text encoder makes of one prompt.
struct TowerOutput {
    std::vector<at::Tensor> chunks;  ///< [77,D] F32 each, at least one
    at::Tensor pooled;               ///< [P] of the first chunk, undefined without a projection
    std::vector<std::int32_t> ids;   ///< of all chunks
    std::size_t cut = 0;             ///< tokens of the prompt that did not fit
};

/// One text encoder of a model with its tokenizer and its way of reading prompts.
class TextTower {
public:
    /// @param penultimate  take the state before the last layer, not normed (SDXL), else the last one, normed
    /// @throws Error(data) when tokenizer and network do not belong together
    TextTower(const Bundle& bundle, Part part, bool penultimate, const nn::WeightLayer& layer = {});

    /// @param skip  layers left out at the end, beside the one that `penultimate` leaves out. @throws Error(usage) when there are fewer
    TowerOutput encode(const std::string& prompt, PromptSyntax syntax, const std::vector<TextualInversion>& inversions, int skip) const;

    /// The most layers that can be left out.
    std::int64_t most_skip() const;

private:
    at::Tensor states(const CLIPTextOutputs& out, int skip) const;
    at::Tensor weigh(at::Tensor states, const PromptChunk& chunk, PromptSyntax syntax, int skip) const;
    CLIPTextOutputs run(const PromptChunk& chunk) const;

    Part part_;
    bool penultimate_;
    Tokenizer tokenizer_;
    CLIPTextModel network_;
};

}  // namespace lcm
