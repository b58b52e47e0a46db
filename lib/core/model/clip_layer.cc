#include "lib/core/model/clip_layer.h"

#include <fmt/format.h>

#include <utility>

#include "lib/core/model/config_reader.h"

namespace lcm {

namespace {

nn::Activation read_activation(ConfigReader& reader) {
    const Json* value = reader.find("hidden_act");
    if (!value || value->as_string() == "quick_gelu") return nn::Activation::quick_gelu;
    if (value->as_string() == "gelu") return nn::Activation::gelu;
    reader.refuse("hidden_act", fmt::format("{} is not implemented, only quick_gelu and gelu", to_json(*value)));
}

}  // namespace

void CLIPTransformerConfig::read(ConfigReader& reader) {
    hidden_act = read_activation(reader);
    hidden_size = reader.positive("hidden_size", hidden_size);
    intermediate_size = reader.positive("intermediate_size", intermediate_size);
    num_hidden_layers = reader.positive("num_hidden_layers", num_hidden_layers);
    num_attention_heads = reader.positive("num_attention_heads", num_attention_heads);
    projection_dim = reader.positive("projection_dim", projection_dim);
    layer_norm_eps = reader.number("layer_norm_eps", layer_norm_eps);
    if (hidden_size % num_attention_heads != 0)
        reader.refuse("num_attention_heads", fmt::format("{} heads do not divide the width {}", num_attention_heads, hidden_size));
}

CLIPLayer::CLIPLayer(const nn::Scope& weights, const CLIPTransformerConfig& config, bool causal)
    : heads_(config.num_attention_heads),
      activation_(config.hidden_act),
      causal_(causal),
      layer_norm1_(weights / "layer_norm1", config.hidden_size, config.layer_norm_eps),
      layer_norm2_(weights / "layer_norm2", config.hidden_size, config.layer_norm_eps),
      q_proj_(weights / "self_attn.q_proj", config.hidden_size, config.hidden_size),
      k_proj_(weights / "self_attn.k_proj", config.hidden_size, config.hidden_size),
      v_proj_(weights / "self_attn.v_proj", config.hidden_size, config.hidden_size),
      out_proj_(weights / "self_attn.out_proj", config.hidden_size, config.hidden_size),
      fc1_(weights / "mlp.fc1", config.hidden_size, config.intermediate_size),
      fc2_(weights / "mlp.fc2", config.intermediate_size, config.hidden_size) {}

at::Tensor CLIPLayer::operator()(const at::Tensor& x) const {
    const at::Tensor normed = layer_norm1_(x);
    const at::Tensor mixed = nn::attention(q_proj_(normed), k_proj_(normed), v_proj_(normed), heads_, causal_);
    at::Tensor hidden = out_proj_(mixed, nn::adding(x));
    nn::Epilogue activation;
    activation.activation = activation_;
    const at::Tensor inner = fc1_(layer_norm2_(hidden), activation);
    return fc2_(inner, nn::adding(std::move(hidden)));
}

}  // namespace lcm
