#include "lib/core/model/clip_layer.h"

#include <fmt/format.h>

#include "lib/core/model/config_reader.h"

namespace lcm {

nn::Activation read_clip_activation(ConfigReader& reader) {
    const Json* value = reader.find("hidden_act");
    if (!value || value->as_string() == "quick_gelu") return nn::Activation::quick_gelu;
    if (value->as_string() == "gelu") return nn::Activation::gelu;
    reader.refuse("hidden_act", fmt::format("{} is not implemented, only quick_gelu and gelu", to_json(*value)));
}

CLIPLayer::CLIPLayer(const nn::Scope& weights, const CLIPLayerShape& shape)
    : heads_(shape.heads),
      activation_(shape.activation),
      causal_(shape.causal),
      layer_norm1_(weights / "layer_norm1", shape.width, shape.eps),
      layer_norm2_(weights / "layer_norm2", shape.width, shape.eps),
      q_proj_(weights / "self_attn.q_proj", shape.width, shape.width),
      k_proj_(weights / "self_attn.k_proj", shape.width, shape.width),
      v_proj_(weights / "self_attn.v_proj", shape.width, shape.width),
      out_proj_(weights / "self_attn.out_proj", shape.width, shape.width),
      fc1_(weights / "mlp.fc1", shape.width, shape.perceptron_width),
      fc2_(weights / "mlp.fc2", shape.perceptron_width, shape.width) {}

at::Tensor CLIPLayer::operator()(const at::Tensor& x) const {
    const at::Tensor normed = layer_norm1_(x);
    const at::Tensor mixed = nn::attention(q_proj_(normed), k_proj_(normed), v_proj_(normed), heads_, causal_);
    nn::Epilogue add_input, activation, add_hidden;
    add_input.residual = x;
    const at::Tensor hidden = out_proj_(mixed, add_input);
    activation.activation = activation_;
    add_hidden.residual = hidden;
    return fc2_(fc1_(layer_norm2_(hidden), activation), add_hidden);
}

}  // namespace lcm
