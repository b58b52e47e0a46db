#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/model/transformer_block.h"
#include "lib/core/nn/weight_source.h"

namespace lcm {

/// `unet/config.json` of a diffusers UNet2DConditionModel. Lists hold one entry a block.
struct UNetConfig {
    std::int64_t in_channels = 4, out_channels = 4, sample_size = 64;
    std::vector<std::string> down_block_types, up_block_types;
    std::string mid_block_type = "UNetMidBlock2DCrossAttn";  ///< empty: none
    std::vector<std::int64_t> block_out_channels, layers_per_block, num_attention_heads, transformer_layers_per_block, cross_attention_dim;
    std::int64_t norm_num_groups = 32;
    double norm_eps = 1e-5, freq_shift = 0;
    bool flip_sin_to_cos = true, use_linear_projection = false;
    std::optional<std::int64_t> time_cond_proj_dim;  ///< width of the guidance embedding; absent: the UNet takes none
    bool text_time = false;                          ///< SDXL's pooled text and size conditioning
    std::int64_t addition_time_embed_dim = 0, projection_class_embeddings_input_dim = 0;

    /// `attention_head_dim` is a head *count* in these files, as in the reference.
    /// @throws Error(data) naming the key: a value that this network does not implement is refused, never ignored
    static UNetConfig from_json(const Json& json);
};

/// One evaluation of the network, B pictures.
struct UNetInputs {
    at::Tensor sample;                       ///< [B,C,H,W]
    at::Tensor timestep;                     ///< [B] or [1], integer or float
    at::Tensor context;                      ///< [B,T,D] text embeddings
    /// Keys and values of `context` in one network, for evaluations that have it in common; null: they are made each time.
    std::shared_ptr<ContextCache> context_cache;
    at::Tensor guidance;                     ///< [B], w = guidance scale - 1; required with time_cond_proj_dim, else undefined
    at::Tensor text_pooled;                  ///< [B,P], required with text_time
    at::Tensor time_ids;                     ///< [B,6], required with text_time
    std::vector<at::Tensor> down_residuals;  ///< a ControlNet's, added to each skip; empty: none
    at::Tensor middle_residual;              ///< the same of the middle; defined with the former
    std::vector<at::Tensor> adapter_states;  ///< a T2I-Adapter's, scaled, one a level; empty: none
    std::vector<KeyValue> image_prompt;      ///< an IP-Adapter's, one a cross-attention layer; empty: none
    double token_merge = 0;                  ///< share of tokens merged in the self-attentions of the highest resolution (`TokenMerge`)
    /// What an earlier evaluation gave as `UNetOutputs::deep`: then only the blocks of the full size run (DeepCache, Ma et al. 2023).
    at::Tensor deep;
};

/// Every tensor of the inputs, in an order that follows from which there are.
std::vector<at::Tensor*> tensors_of(UNetInputs& inputs);

/// What an evaluation gives.
struct UNetOutputs {
    at::Tensor sample;  ///< [B,out_channels,H,W]
    at::Tensor deep;    ///< [B,D,H,W] as the weights are, in type and place: what came into the last block on the way up
};

/// UNet2DConditionModel of diffusers: predicts epsilon, v or the sample. No I/O, no globals.
class UNet {
public:
    /// Inputs may lie on the CPU when the weights lie on a GPU; the sample comes back to where it was. There evaluations of equal shapes
    /// are recorded and replayed (`Graph`), so that calls must not overlap.
    /// @param type  of the weights, where inputs and output are of another; absent: all are of one type
    UNet(const UNetConfig& config, nn::WeightSource& weights, std::optional<at::ScalarType> type = {});
    ~UNet();
    UNet(UNet&&) noexcept;

    /// [B,out_channels,H,W]. @throws Error(data) when an input's shape does not fit, naming both
    at::Tensor forward(const UNetInputs& inputs) const { return evaluate(inputs).sample; }
    /// The same with what later evaluations may use. @throws as forward
    UNetOutputs evaluate(const UNetInputs& inputs) const;
    const UNetConfig& config() const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

}  // namespace lcm
