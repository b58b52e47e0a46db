#include "lib/core/model/clip_text.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <optional>

#include "lib/base/error.h"
#include "lib/core/nn/embedding.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

/// Old configurations say 2 whatever the vocabulary: then the end token is the one of the highest id.
constexpr std::int64_t legacy_eos_token_id = 2;

/// CLIPEncoderLayer: causal self-attention and a two-layer perceptron, each behind a layer norm.
class TextLayer {
public:
    TextLayer(const nn::Scope& weights, const CLIPTextConfig& config)
        : heads_(config.num_attention_heads),
          activation_(config.hidden_act),
          layer_norm1_(weights / "layer_norm1", config.hidden_size, config.layer_norm_eps),
          layer_norm2_(weights / "layer_norm2", config.hidden_size, config.layer_norm_eps),
          q_proj_(weights / "self_attn.q_proj", config.hidden_size, config.hidden_size),
          k_proj_(weights / "self_attn.k_proj", config.hidden_size, config.hidden_size),
          v_proj_(weights / "self_attn.v_proj", config.hidden_size, config.hidden_size),
          out_proj_(weights / "self_attn.out_proj", config.hidden_size, config.hidden_size),
          fc1_(weights / "mlp.fc1", config.hidden_size, config.intermediate_size),
          fc2_(weights / "mlp.fc2", config.intermediate_size, config.hidden_size) {}

    at::Tensor operator()(const at::Tensor& x) const {
        const at::Tensor normed = layer_norm1_(x);
        const at::Tensor mixed = nn::attention(q_proj_(normed), k_proj_(normed), v_proj_(normed), heads_, /*causal=*/true);
        nn::Epilogue add_input, activation, add_hidden;
        add_input.residual = x;
        const at::Tensor hidden = out_proj_(mixed, add_input);
        activation.activation = activation_;
        add_hidden.residual = hidden;
        return fc2_(fc1_(layer_norm2_(hidden), activation), add_hidden);
    }

private:
    std::int64_t heads_;
    nn::Activation activation_;
    nn::LayerNorm layer_norm1_, layer_norm2_;
    nn::Linear q_proj_, k_proj_, v_proj_, out_proj_, fc1_, fc2_;
};

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

}  // namespace

struct CLIPTextModel::Network {
    CLIPTextConfig config;
    nn::Embedding token_embedding, position_embedding;
    std::vector<TextLayer> layers;
    nn::LayerNorm final_layer_norm;
    std::optional<nn::Linear> text_projection;

    Network(const CLIPTextConfig& settings, const nn::Scope& weights)
        : config(settings),
          token_embedding(weights / "embeddings.token_embedding", config.vocab_size, config.hidden_size),
          position_embedding(weights / "embeddings.position_embedding", config.max_position_embeddings, config.hidden_size),
          final_layer_norm(weights / "final_layer_norm", config.hidden_size, config.layer_norm_eps) {
        for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) layers.emplace_back(weights / "encoder.layers" / i, config);
        if (!config.with_projection) return;
        text_projection.emplace(weights / "text_projection", config.hidden_size, config.projection_dim, /*bias=*/false);
    }

    /// The state at each row's end token: the first one, [B,D].
    at::Tensor at_end(const at::Tensor& states, const at::Tensor& ids) const {
        const bool legacy = config.eos_token_id == legacy_eos_token_id;
        const at::Tensor end = legacy ? ids.argmax(1) : ids.eq(config.eos_token_id).to(at::kInt).argmax(1);
        return states.gather(1, end.view({-1, 1, 1}).expand({-1, 1, states.size(2)})).squeeze(1);
    }

    CLIPTextOutputs forward(const at::Tensor& ids) const {
        CLIPTextOutputs out;
        at::Tensor hidden = token_embedding(ids) + position_embedding.first(ids.size(1));
        out.hidden_states.push_back(hidden);
        for (const TextLayer& layer : layers) out.hidden_states.push_back(hidden = layer(hidden));
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

CLIPTextOutputs CLIPTextModel::forward(const at::Tensor& ids) const {
    check_ids(ids, network_->config);
    return network_->forward(ids);
}

at::Tensor CLIPTextModel::final_layer_norm(const at::Tensor& hidden) const {
    expect_shape(hidden, {-1, -1, network_->config.hidden_size}, "the hidden state");
    return network_->final_layer_norm(hidden);
}

const CLIPTextConfig& CLIPTextModel::config() const { return network_->config; }

}  // namespace lcm
