#include "lib/input/text/text_tower.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <fmt/format.h>

#include <filesystem>

#include "lib/base/error.h"

namespace lcm {

Tokenizer open_tokenizer(const Bundle& bundle, Part part) {
    const std::string path = bundle.tokenizer_path(part);
    std::error_code ignored;
    const bool published = std::filesystem::is_regular_file(path, ignored);
    return published ? Tokenizer::open_published(path, bundle.pads_with_zero(part)) : Tokenizer::open(path);
}

TextTower::TextTower(const Bundle& bundle, Part part, bool penultimate, const nn::WeightLayer& layer)
    : part_(part), penultimate_(penultimate), tokenizer_(open_tokenizer(bundle, part)), network_(bundle.text_encoder(part, layer)) {
    const auto length = static_cast<std::int64_t>(tokenizer_.length());
    const std::int64_t most = network_.config().max_position_embeddings;
    if (length <= most) return;
    throw Error(ExitCode::data, bundle.tokenizer_path(part),
                fmt::format("the tokenizer gives {} ids, but the text encoder takes {}", length, most));
}

std::int64_t TextTower::most_skip() const { return network_.config().num_hidden_layers - (penultimate_ ? 1 : 0); }

at::Tensor TextTower::states(const CLIPTextOutputs& out, int skip) const {
    const std::size_t last = out.hidden_states.size() - 1, left_out = static_cast<std::size_t>(skip) + (penultimate_ ? 1 : 0);
    const at::Tensor& hidden = out.hidden_states[last - left_out];
    return (penultimate_ ? hidden : network_.final_layer_norm(hidden)).squeeze(0).to(at::kFloat);
}

CLIPTextOutputs TextTower::run(const PromptChunk& chunk) const {
    const std::vector<std::int64_t> wide(chunk.ids.begin(), chunk.ids.end());
    return network_.forward(at::tensor(wide).unsqueeze(0), chunk.vectors);
}

/// The states with the words' weights in them. A1111 multiplies and then brings the mean back; ComfyUI moves away from the empty prompt.
at::Tensor TextTower::weigh(at::Tensor states, const PromptChunk& chunk, PromptSyntax syntax, int skip) const {
    const at::Tensor weights = at::tensor(chunk.weights).unsqueeze(1);
    if (syntax == PromptSyntax::a1111) {
        const at::Tensor before = states.mean(), weighted = states * weights;
        return weighted * (before / weighted.mean());
    }
    std::size_t cut = 0;
    const PromptChunk nothing = prompt_chunks("", tokenizer_, {.part = part_}, cut).front();
    const at::Tensor empty = this->states(run(nothing), skip);
    return at::where(weights == 1, states, (states - empty) * weights + empty);
}

TowerOutput TextTower::encode(const std::string& prompt, PromptSyntax syntax, const std::vector<TextualInversion>& inversions,
                              int skip) const {
    if (skip < 0 || skip > most_skip())
        throw Error(ExitCode::usage, "--clip-skip", fmt::format("{} is outside 0 to {}, as this text encoder has it", skip, most_skip()),
                    "give a smaller number");
    TowerOutput result;
    for (const PromptChunk& chunk : prompt_chunks(prompt, tokenizer_, {syntax, part_, &inversions}, result.cut)) {
        const CLIPTextOutputs out = run(chunk);
        const at::Tensor plain = states(out, skip);
        result.chunks.push_back(chunk.is_weighted() ? weigh(plain, chunk, syntax, skip) : plain);
        if (!result.pooled.defined() && out.text_embeds.defined()) result.pooled = out.text_embeds.squeeze(0).to(at::kFloat);
        result.ids.insert(result.ids.end(), chunk.ids.begin(), chunk.ids.end());
    }
    return result;
}

}  // namespace lcm
