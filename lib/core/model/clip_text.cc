#include "lib/core/model/clip_text.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <optional>

#include "lib/base/error.h"
#include "lib/core/model/clip_layer.h"
#include "lib/core/nn/embedding.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

/// Old configurations say 2 whatever the vocabulary: then the end token is the one of the highest id.
constexpr std::int64_t legacy_eos_token_id = 2;

void check_ids(const at::Tensor& ids, const CLIPTextConfig& config) {
    expect_shape(ids, {-1, -1}, "the token ids");
    if (ids.size(1) > config.max_position_embeddings) {
        throw Error(ExitCode::data, "",
                    fmt::format("{} tokens a prompt, but the text encoder takes at most {}", ids.size(1), config.max_position_embeddings));
    }
    const std::int64_t lowest = ids.min().item<std::int64_t>(), highest = ids.max().item<std::int64_t>();
    if (lowest < 0 || highest >= config.vocab_size) {
        throw Error(ExitCode::data, "",
                    fmt::format("token id {} is outside the vocabulary of {}", lowest < 0 ? lowest : highest, config.vocab_size),
                    "use the tokenizer that belongs to the text encoder");
    }
}

CLIPTextOutputs on_cpu(CLIPTextOutputs outputs) {
    for (at::Tensor& state : outputs.hidden_states) state = state.cpu();
    for (at::Tensor* tensor : {&outputs.last_hidden_state, &outputs.pooled, &outputs.text_embeds})
        if (tensor->defined()) *tensor = tensor->cpu();
    return outputs;
}

}  // namespace

struct CLIPTextModel::Network {
    at::Device device;
    CLIPTextConfig config;
    nn::Embedding token_embedding, position_embedding;
    std::vector<CLIPLayer> layers;
    nn::LayerNorm final_layer_norm;
    std::optional<nn::Linear> text_projection;

    Network(const CLIPTextConfig& settings, const nn::Scope& weights)
        : device(weights.device()),
          config(settings),
          token_embedding(weights / "embeddings.token_embedding", config.vocab_size, config.hidden_size),
          position_embedding(weights / "embeddings.position_embedding", config.max_position_embeddings, config.hidden_size),
          final_layer_norm(weights / "final_layer_norm", config.hidden_size, config.layer_norm_eps) {
        for (std::int64_t i = 0; i < config.num_hidden_layers; ++i)
            layers.emplace_back(weights / "encoder.layers" / i, config, /*causal=*/true);
        if (!config.with_projection) return;
        text_projection.emplace(weights / "text_projection", config.hidden_size, config.projection_dim, /*bias=*/false);
    }

    /// The state at each row's end token: the first one, [B,D].
    at::Tensor at_end(const at::Tensor& states, const at::Tensor& ids) const {
        const bool legacy = config.eos_token_id == legacy_eos_token_id;
        const at::Tensor end = legacy ? ids.argmax(1) : ids.eq(config.eos_token_id).to(at::kInt).argmax(1);
        return states.gather(1, end.view({-1, 1, 1}).expand({-1, 1, states.size(2)})).squeeze(1);
    }

    CLIPTextOutputs forward(const at::Tensor& given, const std::vector<TokenVector>& vectors) const {
        const at::Tensor ids = given.to(device);
        CLIPTextOutputs out;
        at::Tensor tokens = token_embedding(ids);
        for (const TokenVector& one : vectors) tokens.select(1, one.position).copy_(one.vector);
        at::Tensor hidden = tokens + position_embedding.first(ids.size(1));
        out.hidden_states.push_back(hidden);
        for (const CLIPLayer& layer : layers) out.hidden_states.push_back(hidden = layer(hidden));
        out.last_hidden_state = final_layer_norm(hidden);
        out.pooled = at_end(out.last_hidden_state, ids);
        if (text_projection) out.text_embeds = (*text_projection)(out.pooled);
        return out;
    }
};

CLIPTextModel::CLIPTextModel(const CLIPTextConfig& config, nn::WeightSource& weights)
    : network_(std::make_unique<Network>(config, nn::Scope(weights))) {}
CLIPTextModel::~CLIPTextModel() = default;
CLIPTextModel::CLIPTextModel(CLIPTextModel&&) noexcept = default;

CLIPTextOutputs CLIPTextModel::forward(const at::Tensor& ids, const std::vector<TokenVector>& vectors) const {
    check_ids(ids, network_->config);
    for (const TokenVector& one : vectors) {
        expect_shape(one.vector, {network_->config.hidden_size}, "a vector in the place of a token");
        if (one.position < 0 || one.position >= ids.size(1))
            throw Error(ExitCode::software, "", fmt::format("position {} is outside the row of {} tokens", one.position, ids.size(1)));
    }
    return on_cpu(network_->forward(ids, vectors));
}

at::Tensor CLIPTextModel::final_layer_norm(const at::Tensor& hidden) const {
    expect_shape(hidden, {-1, -1, network_->config.hidden_size}, "the hidden state");
    return network_->final_layer_norm(hidden.to(network_->device)).cpu();
}

const CLIPTextConfig& CLIPTextModel::config() const { return network_->config; }

}  // namespace lcm
