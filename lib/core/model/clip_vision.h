#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/json.h"
#include "lib/core/model/clip_layer.h"
#include "lib/core/nn/layers.h"

namespace lcm {

/// `config.json` of a CLIPVisionModelWithProjection; the defaults are those of transformers for a key that is absent.
struct CLIPVisionConfig : CLIPTransformerConfig {
    CLIPVisionConfig()
        : CLIPTransformerConfig{.hidden_size = 768, .intermediate_size = 3072, .num_hidden_layers = 12, .num_attention_heads = 12} {}

    std::int64_t image_size = 224, patch_size = 32, num_channels = 3;

    /// @throws Error(data) naming the key
    static CLIPVisionConfig from_json(const Json& json);
};

/// CLIPVisionModelWithProjection of transformers: a picture as one vector.
class CLIPVisionModel {
public:
    CLIPVisionModel(const CLIPVisionConfig& config, nn::WeightSource& weights);
    ~CLIPVisionModel();
    CLIPVisionModel(CLIPVisionModel&&) noexcept;

    /// @param pixels  [B,num_channels,image_size,image_size], normalized. @return [B,projection_dim] (`image_embeds`)
    /// @throws Error(data)
    at::Tensor forward(const at::Tensor& pixels) const;
    const CLIPVisionConfig& config() const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

/// The name that the network asks for: without `vision_model.` in front; empty for tensors that no network uses.
std::string clip_vision_key(const std::string& name);

}  // namespace lcm
