#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lib/core/nn/layers.h"

namespace lcm {

class ConfigReader;

/// `hidden_act` of a CLIP configuration. @throws Error(data) for another than quick_gelu and gelu
nn::Activation read_clip_activation(ConfigReader& reader);

/// Widths and kind of a CLIP transformer layer.
struct CLIPLayerShape {
    std::int64_t width = 0, perceptron_width = 0, heads = 0;
    double eps = 1e-5;
    nn::Activation activation = nn::Activation::quick_gelu;
    bool causal = false;  ///< tokens see only those before them (text)
};

/// CLIPEncoderLayer: self-attention and a two-layer perceptron, each behind a layer norm.
class CLIPLayer {
public:
    CLIPLayer(const nn::Scope& weights, const CLIPLayerShape& shape);
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
