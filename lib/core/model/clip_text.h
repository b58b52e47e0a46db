#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/model/clip_layer.h"
#include "lib/core/nn/layers.h"

namespace lcm {

/// `text_encoder/config.json` of a CLIPTextModel; the defaults are those of transformers for a key that is absent.
struct CLIPTextConfig : CLIPTransformerConfig {
    CLIPTextConfig()
        : CLIPTransformerConfig{.hidden_size = 512, .intermediate_size = 2048, .num_hidden_layers = 12, .num_attention_heads = 8} {}

    std::int64_t vocab_size = 49408, max_position_embeddings = 77;
    std::int64_t eos_token_id = 49407;  ///< 2, as old files say, means the highest id of a row
    bool with_projection = false;       ///< CLIPTextModelWithProjection

    /// @throws Error(data) naming the key: a value that this network does not implement is refused, never ignored
    static CLIPTextConfig from_json(const Json& json);
};

/// What the text encoder computes in one pass.
struct CLIPTextOutputs {
    std::vector<at::Tensor> hidden_states;  ///< [B,T,D] each; 0 is the embeddings, the last is before the final norm
    at::Tensor last_hidden_state;           ///< [B,T,D] after the final layer norm
    at::Tensor pooled;                      ///< [B,D] at the end token
    at::Tensor text_embeds;                 ///< [B,P], undefined without projection
};

/// A vector in the place of a token's own: textual inversion.
struct TokenVector {
    std::int64_t position;  ///< in the row
    at::Tensor vector;      ///< [D]
};

/// CLIP text transformer: causal mask, no padding mask.
class CLIPTextModel {
public:
    CLIPTextModel(const CLIPTextConfig& config, nn::WeightSource& weights);
    ~CLIPTextModel();
    CLIPTextModel(CLIPTextModel&&) noexcept;

    /// @param ids [B,T] int64, T at most max_position_embeddings, each id below vocab_size. @throws Error(data)
    /// @param vectors  take the place of tokens in every row; positions below T
    CLIPTextOutputs forward(const at::Tensor& ids, const std::vector<TokenVector>& vectors = {}) const;
    /// The final layer norm alone, for clip-skip.
    at::Tensor final_layer_norm(const at::Tensor& hidden) const;
    const CLIPTextConfig& config() const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

}  // namespace lcm
