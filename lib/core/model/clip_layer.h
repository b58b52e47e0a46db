#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lib/core/nn/layers.h"

namespace lcm {

class ConfigReader;

/// What CLIP's configurations of text and of pictures have in common.
struct CLIPTransformerConfig {
    std::int64_t hidden_size = 0, intermediate_size = 0, num_hidden_layers = 0, num_attention_heads = 0;
    std::int64_t projection_dim = 512;
    double layer_norm_eps = 1e-5;
    nn::Activation hidden_act = nn::Activation::quick_gelu;

    /// Takes what the file says over what stands here. @throws Error(data) naming the key
    void read(ConfigReader& reader);
};

/// CLIPEncoderLayer: self-attention and a two-layer perceptron, each behind a layer norm.
class CLIPLayer {
public:
    /// @param causal  tokens see only those before them (text)
    CLIPLayer(const nn::Scope& weights, const CLIPTransformerConfig& config, bool causal);
    /// [B,T,width] -> [B,T,width]
    at::Tensor operator()(const at::Tensor& x) const;

private:
    std::int64_t heads_;
    nn::Activation activation_;
    bool causal_;
    nn::LayerNorm layer_norm1_, layer_norm2_;
    nn::Linear q_proj_, k_proj_, v_proj_, out_proj_, fc1_, fc2_;
};

}  // namespace lcm
