#include "lib/core/bundle/shape_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/error.h"

namespace lcm {
namespace {

constexpr const char* give_config = "name a folder with the model's configuration files: --model-config DIR";

/// The shapes of one part's tensors, by their names behind the part's prefix.
class Shapes {
public:
    Shapes(const WeightFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

    bool has(const std::string& name) const { return file_.has(prefix_ + name); }
    /// Side `side` of the tensor. @throws Error(data) when it is absent or has fewer sides
    std::int64_t side(const std::string& name, std::size_t side) const {
        const auto found = file_.tensors().find(prefix_ + name);
        if (found == file_.tensors().end()) throw Error(ExitCode::data, place(name), "the tensor is missing", give_config);
        if (found->second.shape.size() <= side)
            throw Error(ExitCode::data, place(name), fmt::format("it has {} sides only", found->second.shape.size()), give_config);
        return found->second.shape[side];
    }
    /// How many of `pattern` with 0, 1, 2.. in its place are there.
    std::int64_t count(const std::string& before, const std::string& after) const {
        std::int64_t number = 0;
        while (has(fmt::format("{}{}{}", before, number, after))) ++number;
        return number;
    }
    [[noreturn]] void refuse(const std::string& name, const std::string& what) const {
        throw Error(ExitCode::data, place(name), what, give_config);
    }
    std::string place(const std::string& name) const { return tensor_place(file_.path(), prefix_ + name); }
    const std::string& path() const { return file_.path(); }

private:
    const WeightFile& file_;
    std::string prefix_;
};

using Integers = std::vector<std::int64_t>;
using Strings = std::vector<std::string>;

/// Makes the JSON of a configuration, whose place is the file it was read off.
class Config {
public:
    explicit Config(std::string place) : place_(std::move(place)) {}

    void set(const char* key, std::int64_t value) { object_.insert_or_assign(key, Json(value, place_)); }
    void set(const char* key, double value) { object_.insert_or_assign(key, Json(value, place_)); }
    void set(const char* key, bool value) { object_.insert_or_assign(key, Json(value, place_)); }
    void set(const char* key, const char* value) { object_.insert_or_assign(key, Json(std::string(value), place_)); }
    template <typename Value>
    void set(const char* key, const std::vector<Value>& values) {
        Json::Array list;
        for (const Value& value : values) list.emplace_back(value, place_);
        object_.insert_or_assign(key, Json(std::move(list), place_));
    }
    Json json() const { return Json(object_, place_); }

private:
    std::string place_;
    Json::Object object_;
};

/// What published UNets of one width of text have in common.
struct UNetFamily {
    std::int64_t context;
    bool pooled;               ///< SDXL's added conditions
    std::int64_t heads;        ///< in every block, or
    std::int64_t head_width;   ///< channels a head
    std::int64_t sample_size;  ///< side of the latents it was trained on
};
constexpr std::int64_t published_width = 320;
constexpr std::array unet_families{UNetFamily{768, false, 8, 0, 64}, UNetFamily{1024, false, 0, 64, 64},
                                   UNetFamily{2048, true, 0, 64, 128}};
constexpr std::int64_t groups = 32, size_embedding = 256;

/// The levels of a UNet, read off its flat list of input blocks.
struct Levels {
    Integers widths, layers, depths;
    std::vector<bool> attention;
};

Levels read_levels(const Shapes& shapes) {
    Levels levels;
    std::int64_t layers = 0, width = 0, depth = 0;
    const auto close = [&] {
        levels.widths.push_back(width);
        levels.layers.push_back(layers);
        levels.attention.push_back(depth > 0);
        levels.depths.push_back(depth > 0 ? depth : 1);
        layers = 0;
    };
    for (std::size_t i = 1;; ++i) {
        const std::string block = fmt::format("input_blocks.{}.", i), resnet = block + "0.in_layers.2.weight";
        if (shapes.has(block + "0.op.weight")) {
            close();
            continue;
        }
        if (!shapes.has(resnet)) break;
        const std::int64_t deep = shapes.count(block + "1.transformer_blocks.", ".attn1.to_q.weight");
        if (layers > 0 && deep != depth) shapes.refuse(block + "1", "transformer depths that differ within a level are not implemented");
        depth = deep;
        width = shapes.side(resnet, 0);
        ++layers;
    }
    if (layers == 0) shapes.refuse("input_blocks.1.0.in_layers.2.weight", "no block of layers is found");
    close();
    return levels;
}

const UNetFamily& published_family(const Shapes& shapes, std::int64_t context, std::int64_t width) {
    const bool pooled = shapes.has("label_emb.0.0.weight");
    for (const UNetFamily& family : unet_families)
        if (family.context == context && family.pooled == pooled && width == published_width) return family;
    throw Error(ExitCode::data, shapes.path(),
                fmt::format("a UNet of width {} for text of width {} is of no published family, so its shapes do not tell the number of "
                            "attention heads",
                            width, context),
                give_config);
}

void set_added_conditions(Config& config, const Shapes& shapes) {
    config.set("addition_embed_type", "text_time");
    config.set("addition_time_embed_dim", size_embedding);
    config.set("projection_class_embeddings_input_dim", shapes.side("label_emb.0.0.weight", 1));
}

Json unet_config(const Shapes& shapes) {
    Levels levels = read_levels(shapes);
    const std::string mid = "middle_block.1.transformer_blocks.";
    const std::int64_t context = shapes.side(mid + "0.attn2.to_k.weight", 1);
    const UNetFamily& family = published_family(shapes, context, levels.widths.front());
    levels.depths.back() = shapes.count(mid, ".attn1.to_q.weight");  // the middle has the depth of the deepest level

    Strings down, up;
    Integers heads;
    for (std::size_t i = 0; i < levels.widths.size(); ++i) {
        down.emplace_back(levels.attention[i] ? "CrossAttnDownBlock2D" : "DownBlock2D");
        up.emplace(up.begin(), levels.attention[i] ? "CrossAttnUpBlock2D" : "UpBlock2D");
        heads.push_back(family.heads > 0 ? family.heads : levels.widths[i] / family.head_width);
    }
    Config config(shapes.path());
    config.set("_class_name", "UNet2DConditionModel");
    config.set("down_block_types", down);
    config.set("up_block_types", up);
    config.set("block_out_channels", levels.widths);
    config.set("layers_per_block", levels.layers);
    config.set("transformer_layers_per_block", levels.depths);
    config.set("attention_head_dim", heads);
    config.set("cross_attention_dim", context);
    config.set("in_channels", shapes.side("input_blocks.0.0.weight", 1));
    config.set("out_channels", shapes.side("out.2.weight", 0));
    config.set("sample_size", family.sample_size);
    config.set("norm_num_groups", groups);
    for (const char* guidance : {"time_embedding.cond_proj.weight", "time_embed.cond_proj.weight"})
        if (shapes.has(guidance)) config.set("time_cond_proj_dim", shapes.side(guidance, 1));
    if (family.pooled) set_added_conditions(config, shapes);
    return config.json();
}

/// The widths of a tiny VAE: the decoder begins with the latents, the encoder ends in them.
struct TinyWidths {
    std::int64_t width, latents;
};

TinyWidths tiny_widths(const Shapes& shapes, Naming naming) {
    if (naming == Naming::diffusers) return {shapes.side("decoder.layers.0.weight", 0), shapes.side("decoder.layers.0.weight", 1)};
    const std::string half = naming == Naming::tiny ? "decoder." : "", first = half + "1.weight";
    if (naming != Naming::tiny_encoder && shapes.has(first)) return {shapes.side(first, 0), shapes.side(first, 1)};
    const std::string last = (naming == Naming::tiny ? "encoder." : "") + std::string("14.weight");
    return {shapes.side(last, 1), shapes.side(last, 0)};
}

Json tiny_vae_config(const Shapes& shapes, Naming naming) {
    constexpr double unscaled = 1.0;
    const auto [width, latents] = tiny_widths(shapes, naming);
    Config config(shapes.path());
    config.set("_class_name", "AutoencoderTiny");
    config.set("encoder_block_out_channels", Integers(4, width));
    config.set("decoder_block_out_channels", Integers(4, width));
    config.set("num_encoder_blocks", Integers{1, 3, 3, 3});
    config.set("num_decoder_blocks", Integers{3, 3, 3, 1});
    config.set("latent_channels", latents);
    config.set("scaling_factor", unscaled);
    return config.json();
}

/// How an AutoencoderKL names what its shape is read off.
struct VaeNames {
    const char *level, *layer, *conv;  ///< <level>.N.<layer>.N<conv>
};

/// The levels of a VAE, from the full size, by one of its halves.
struct VaeLevels {
    Integers widths;
    std::int64_t layers;
};

VaeLevels vae_levels(const Shapes& shapes, const VaeNames& names) {
    const auto layer = [&](std::int64_t level) { return fmt::format("{}.{}.{}.", names.level, level, names.layer); };
    const auto conv = [&](std::int64_t level) { return fmt::format("{}0{}", layer(level), names.conv); };
    Integers widths;
    while (shapes.has(conv(std::ssize(widths)))) widths.push_back(shapes.side(conv(std::ssize(widths)), 0));
    if (widths.empty()) shapes.refuse(conv(0), "the tensor is missing");
    return {widths, shapes.count(layer(0), names.conv)};
}

/// @param encoder,decoder  names of the halves; the decoder has one layer a level more, and in the names of diffusers its levels are turned
///                         round
Json vae_config(const Shapes& shapes, const VaeNames& encoder, const VaeNames& decoder, const std::string& family) {
    const bool encodes = shapes.has("encoder.conv_in.weight"), decodes = shapes.has("decoder.conv_in.weight");
    VaeLevels levels = vae_levels(shapes, encodes || !decodes ? encoder : decoder);
    if (!encodes && decodes) {
        levels.layers -= 1;
        if (std::string_view(decoder.layer) == "resnets") std::ranges::reverse(levels.widths);
    }
    const Integers& widths = levels.widths;
    for (const std::int64_t width : widths) {
        if (width % groups == 0) continue;
        throw Error(ExitCode::data, shapes.path(),
                    fmt::format("a VAE of width {} is of no published family, so its shapes do not tell the groups of its norms", width),
                    give_config);
    }
    constexpr double sd_factor = 0.18215, sdxl_factor = 0.13025;
    Config config(shapes.path());
    config.set("_class_name", "AutoencoderKL");
    config.set("block_out_channels", widths);
    config.set("down_block_types", Strings(widths.size(), "DownEncoderBlock2D"));
    config.set("up_block_types", Strings(widths.size(), "UpDecoderBlock2D"));
    config.set("layers_per_block", levels.layers);
    config.set("latent_channels", decodes ? shapes.side("decoder.conv_in.weight", 1) : shapes.side("encoder.conv_out.weight", 0) / 2);
    config.set("norm_num_groups", groups);
    if (encodes) config.set("use_quant_conv", shapes.has("quant_conv.weight"));
    if (decodes) config.set("use_post_quant_conv", shapes.has("post_quant_conv.weight"));
    config.set("scaling_factor", family == "sdxl" ? sdxl_factor : sd_factor);
    return config.json();
}

/// What published CLIP text encoders of one width have in common.
struct TextFamily {
    std::int64_t width, heads;
    const char *activation, *architecture;
    std::int64_t left_out;  ///< layers at the end that the model does not use
};
constexpr std::array text_families{TextFamily{768, 12, "quick_gelu", "CLIPTextModel", 0}, TextFamily{1024, 16, "gelu", "CLIPTextModel", 1},
                                   TextFamily{1280, 20, "gelu", "CLIPTextModelWithProjection", 0}};

/// How a text encoder names what its shape is read off.
struct TextNames {
    std::string tokens, positions, layer, hidden;
};

TextNames text_names(const Shapes& shapes, Naming naming) {
    if (naming == Naming::open_clip)
        return {"token_embedding.weight", "positional_embedding", "transformer.resblocks.", ".mlp.c_fc.weight"};
    const std::string model = shapes.has("text_model.embeddings.token_embedding.weight") ? "text_model." : "";
    return {model + "embeddings.token_embedding.weight", model + "embeddings.position_embedding.weight", model + "encoder.layers.",
            ".mlp.fc1.weight"};
}

Json text_config(const Shapes& shapes, Naming naming) {
    constexpr std::int64_t highest_id_ends = 2;  // as published configurations say
    const TextNames names = text_names(shapes, naming);
    const std::int64_t width = shapes.side(names.tokens, 1);
    for (const TextFamily& family : text_families) {
        if (family.width != width) continue;
        const bool open_clip = naming == Naming::open_clip;
        Config config(shapes.path());
        config.set("architectures", Strings{family.architecture});
        config.set("vocab_size", shapes.side(names.tokens, 0));
        config.set("hidden_size", width);
        config.set("intermediate_size", shapes.side(names.layer + "0" + names.hidden, 0));
        config.set("num_hidden_layers", shapes.count(names.layer, names.hidden) - (open_clip ? family.left_out : 0));
        config.set("num_attention_heads", family.heads);
        config.set("max_position_embeddings", shapes.side(names.positions, 0));
        config.set("projection_dim", width);
        config.set("hidden_act", family.activation);
        config.set("eos_token_id", highest_id_ends);
        return config.json();
    }
    throw Error(
        ExitCode::data, shapes.path(),
        fmt::format("a text encoder of width {} is of no published family, so its shapes do not tell the number of attention heads", width),
        give_config);
}

}  // namespace

Json config_from_shapes(const WeightFile& file, Part part, const Layout& layout, const std::string& family) {
    const Shapes shapes(file, layout.prefix);
    if (part == Part::unet) {
        if (layout.naming == Naming::original) return unet_config(shapes);
        throw Error(ExitCode::data, file.path(), "a UNet in diffusers names needs its config.json",
                    "put it beside, or give --model-config DIR");
    }
    if (part != Part::vae) return text_config(shapes, layout.naming);
    constexpr const char* conv = ".conv1.weight";
    if (layout.naming == Naming::original)
        return vae_config(shapes, {"encoder.down", "block", conv}, {"decoder.up", "block", conv}, family);
    if (layout.naming != Naming::diffusers || shapes.has("decoder.layers.0.weight")) return tiny_vae_config(shapes, layout.naming);
    return vae_config(shapes, {"encoder.down_blocks", "resnets", conv}, {"decoder.up_blocks", "resnets", conv}, family);
}

}  // namespace lcm
