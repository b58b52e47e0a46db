#pragma once

#include "lib/core/adapter/adapter_registry.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

/// A UNet with few parameters and a text encoder with one: what adapters of tests are opened for.
inline lcm::AdapterTarget small_target() {
    return lcm::AdapterTarget({{lcm::Network::unet,
                                {{"conv_in.weight", {4, 2, 3, 3}},
                                 {"conv_in.bias", {4}},
                                 {"down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", {4, 6}},
                                 {"down_blocks.0.resnets.0.norm1.weight", {4}},
                                 {"down_blocks.0.resnets.0.norm1.bias", {4}},
                                 {"down_blocks.1.resnets.0.conv1.weight", {4, 4, 3, 3}},
                                 {"mid_block.resnets.0.conv_shortcut.weight", {4, 6, 1, 1}}}},
                               {lcm::Network::text_encoder, {{"encoder.layers.0.self_attn.q_proj.weight", {3, 3}}}}});
}

inline constexpr const char* to_k = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
inline constexpr const char* to_k_parameter = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight";
inline constexpr const char* conv_in = "lora_unet_conv_in";

/// A tensor of ones.
inline StoredTensor ones(const std::string& name, const std::vector<int>& shape, float value = 1) {
    std::size_t count = 1;
    for (const int size : shape) count *= static_cast<std::size_t>(size);
    return {name, "F32", shape, bytes_of(std::vector<float>(count, value))};
}

/// A plain LoRA of `rank` on to_k.
inline std::vector<StoredTensor> plain_lora(int rank = 2) {
    return {ones(std::string(to_k) + ".lora_down.weight", {rank, 6}), ones(std::string(to_k) + ".lora_up.weight", {4, rank})};
}
