#include <fmt/format.h>

#include <algorithm>

#include "lib/core/model/config_reader.h"
#include "lib/core/model/quantization.h"
#include "lib/core/model/unet.h"
#include "lib/core/model/unet_encoder.h"

namespace lcm {
namespace {

constexpr const char* cross_attention_mid_block = "UNetMidBlock2DCrossAttn";
constexpr const char* plain_mid_block = "UNetMidBlock2D";

/// Values that would change the network in ways this one does not implement.
void refuse_unimplemented(ConfigReader& reader) {
    reader.only("act_fn", "\"silu\"");
    reader.only("attention_type", "\"default\"");
    reader.only("resnet_time_scale_shift", "\"default\"");
    reader.only("time_embedding_type", "\"positional\"");
    for (const char* key : {"center_input_sample", "class_embeddings_concat", "dual_cross_attention", "mid_block_only_cross_attention",
                            "only_cross_attention", "resnet_skip_time_act"}) {
        reader.only(key, "false");
    }
    for (const char* key : {"downsample_padding", "mid_block_scale_factor", "resnet_out_scale_factor"}) reader.only(key, "1");
    for (const char* key : {"conv_in_kernel", "conv_out_kernel"}) reader.only(key, "3");
    for (const char* key : {"class_embed_type", "cross_attention_norm", "encoder_hid_dim", "encoder_hid_dim_type", "num_class_embeds",
                            "reverse_transformer_layers_per_block", "time_embedding_act_fn", "time_embedding_dim", "timestep_post_act"}) {
        reader.only(key, "null");
    }
    reader.only("dropout", "0");
    reader.only(quantization_key, quantization_value);
    // The first serves other kinds of added conditions; the second is not read by fused attention; the third shows in the weights' shapes.
    reader.ignore({"addition_embed_type_num_heads", "upcast_attention", "use_linear_projection"});
}

/// One number a block: the head counts, which the files call `attention_head_dim`.
std::vector<std::int64_t> head_counts(ConfigReader& reader, const std::vector<std::int64_t>& widths) {
    const Json* renamed = reader.find("num_attention_heads");
    const char* key = renamed ? "num_attention_heads" : "attention_head_dim";
    reader.find("attention_head_dim");
    const std::vector<std::int64_t> heads = reader.per_block(key, widths.size(), 8);
    for (std::size_t i = 0; i < heads.size(); ++i) {
        if (widths[i] % heads[i] == 0) continue;
        reader.refuse(key, fmt::format("{} heads do not divide the {} channels of block {}", heads[i], widths[i], i));
    }
    return heads;
}

std::vector<std::int64_t> context_widths(ConfigReader& reader, std::size_t blocks) {
    std::vector<std::int64_t> widths = reader.per_block("cross_attention_dim", blocks, 1280);
    for (const std::int64_t width : widths)
        if (width != widths.front()) reader.refuse("cross_attention_dim", "widths that differ by block are not implemented");
    return widths;
}

std::string mid_block(ConfigReader& reader, const Json& json) {
    if (!json.as_object().contains("mid_block_type")) return cross_attention_mid_block;
    const Json* value = reader.find("mid_block_type");
    if (!value) return {};
    const std::string& name = value->as_string();
    if (name != cross_attention_mid_block && name != plain_mid_block) {
        reader.refuse("mid_block_type", fmt::format("{} is not implemented, only {}, {} and null", json_quote(name),
                                                    cross_attention_mid_block, plain_mid_block));
    }
    return name;
}

void read_time(ConfigReader& reader, UNetConfig& config) {
    config.flip_sin_to_cos = reader.flag("flip_sin_to_cos", config.flip_sin_to_cos);
    config.freq_shift = reader.number("freq_shift", config.freq_shift);
    if (reader.find("time_cond_proj_dim")) config.time_cond_proj_dim = reader.positive("time_cond_proj_dim", 0);
    reader.only("addition_embed_type", "\"text_time\"");
    config.text_time = reader.find("addition_embed_type") != nullptr;
    // Other kinds of models carry these two without the first.
    config.addition_time_embed_dim = reader.positive("addition_time_embed_dim", 0);
    config.projection_class_embeddings_input_dim = reader.positive("projection_class_embeddings_input_dim", 0);
    if (!config.text_time) return;
    for (const char* key : {"addition_time_embed_dim", "projection_class_embeddings_input_dim"})
        if (!reader.find(key)) reader.refuse(key, "needed with addition_embed_type \"text_time\"");
}

}  // namespace

UNetConfig read_unet_encoder(ConfigReader& reader, const Json& json) {
    refuse_unimplemented(reader);
    UNetConfig config;
    config.block_out_channels = reader.positive_list("block_out_channels");
    const std::size_t blocks = config.block_out_channels.size();
    config.down_block_types = reader.names("down_block_types", blocks, {"DownBlock2D", "CrossAttnDownBlock2D"});
    config.mid_block_type = mid_block(reader, json);
    config.layers_per_block = reader.per_block("layers_per_block", blocks, 2);
    config.transformer_layers_per_block = reader.per_block("transformer_layers_per_block", blocks, 1);
    config.num_attention_heads = head_counts(reader, config.block_out_channels);
    config.cross_attention_dim = context_widths(reader, blocks);
    config.in_channels = reader.positive("in_channels", config.in_channels);
    config.sample_size = reader.positive("sample_size", config.sample_size);
    config.norm_num_groups = reader.positive("norm_num_groups", config.norm_num_groups);
    config.norm_eps = reader.number("norm_eps", config.norm_eps);
    for (const std::int64_t width : config.block_out_channels)
        if (width % config.norm_num_groups != 0)
            reader.refuse("norm_num_groups", fmt::format("{} groups do not divide {} channels", config.norm_num_groups, width));
    read_time(reader, config);
    return config;
}

UNetConfig UNetConfig::from_json(const Json& json) {
    ConfigReader reader(json);
    UNetConfig config = read_unet_encoder(reader, json);
    config.up_block_types = reader.names("up_block_types", config.block_out_channels.size(), {"UpBlock2D", "CrossAttnUpBlock2D"});
    config.out_channels = reader.positive("out_channels", config.out_channels);
    reader.finish();
    return config;
}

}  // namespace lcm
