#include "lib/core/weights/checkpoint_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "lib/base/number.h"

namespace lcm {
namespace {

using Renames = std::vector<std::pair<std::string_view, std::string_view>>;

/// One of our own names, read word by word from its front.
class Words {
public:
    explicit Words(std::string_view name) : rest_(name) {}

    /// Takes `words` off the front, where they stand there as whole words.
    bool take(std::string_view words) {
        const bool there = rest_.starts_with(words) && (rest_.size() == words.size() || rest_[words.size()] == '.');
        if (there) rest_.remove_prefix(std::min(words.size() + 1, rest_.size()));
        return there;
    }
    std::size_t take_number() {
        const std::string_view word = rest_.substr(0, rest_.find('.'));
        take(word);
        return parse_u64(word).value();  // our networks count with plain numbers
    }
    const std::string_view& rest() const { return rest_; }

private:
    std::string_view rest_;
};

/// `name` with its first words replaced by the first pair that fits; unchanged without one.
std::string rename_front(std::string_view name, const Renames& renames) {
    for (const auto& [ours, theirs] : renames) {
        Words words(name);
        if (words.take(ours)) return fmt::format("{}{}{}", theirs, words.rest().empty() ? "" : ".", words.rest());
    }
    return std::string(name);
}

/// How many layers each block has and which blocks have attention, by the names in them.
class BlockLayout {
public:
    BlockLayout(const std::vector<std::string>& names, std::string_view blocks) {
        for (const std::string& name : names) {
            Words words(name);
            if (!words.take(blocks)) continue;
            const std::size_t block = words.take_number();
            layers_.resize(std::max(layers_.size(), block + 1));
            if (words.take("attentions")) attention_.insert(block);
            if (words.take("resnets")) layers_[block] = std::max(layers_[block], words.take_number() + 1);
        }
    }

    std::size_t blocks() const { return layers_.size(); }
    std::size_t layers(std::size_t block) const { return layers_[block]; }
    bool has_attention(std::size_t block) const { return attention_.contains(block); }
    /// Layers of all blocks before `block`, each block with `extra` more.
    std::size_t before(std::size_t block, std::size_t extra) const {
        std::size_t sum = 0;
        for (std::size_t i = 0; i < block; ++i) sum += layers_[i] + extra;
        return sum;
    }

private:
    std::vector<std::size_t> layers_;
    std::set<std::size_t> attention_;
};

const Renames unet_resnet{{"norm1", "in_layers.0"},  {"conv1", "in_layers.2"},          {"norm2", "out_layers.0"},
                          {"conv2", "out_layers.3"}, {"time_emb_proj", "emb_layers.1"}, {"conv_shortcut", "skip_connection"}};
const Renames unet_top{{"conv_in", "input_blocks.0.0"},
                       {"conv_norm_out", "out.0"},
                       {"conv_out", "out.2"},
                       {"time_embedding.linear_1", "time_embed.0"},
                       {"time_embedding.linear_2", "time_embed.2"},
                       {"add_embedding.linear_1", "label_emb.0.0"},
                       {"add_embedding.linear_2", "label_emb.0.2"},
                       {"mid_block.attentions.0", "middle_block.1"}};

/// Names of one UNet's parameters in the original code, where all blocks stand in two flat lists.
class UNetNames {
public:
    explicit UNetNames(const std::vector<std::string>& ours) : down_(ours, "down_blocks"), up_(ours, "up_blocks") {}

    std::string theirs(const std::string& name) const {
        Words words(name);
        if (words.take("mid_block.resnets")) {
            const std::size_t place = 2 * words.take_number();
            return fmt::format("middle_block.{}.{}", place, rename_front(words.rest(), unet_resnet));
        }
        if (words.take("down_blocks")) return in_down(words);
        if (words.take("up_blocks")) return in_up(words);
        return rename_front(name, unet_top);
    }

private:
    std::string in_down(Words words) const {
        const std::size_t block = words.take_number(), first = 1 + down_.before(block, 1);
        if (words.take("downsamplers.0.conv")) return fmt::format("input_blocks.{}.0.op.{}", first + down_.layers(block), words.rest());
        return layer("input_blocks", first, words);
    }
    std::string in_up(Words words) const {
        const std::size_t block = words.take_number(), first = up_.before(block, 0);
        if (!words.take("upsamplers.0.conv")) return layer("output_blocks", first, words);
        const std::size_t last = first + up_.layers(block) - 1;
        return fmt::format("output_blocks.{}.{}.conv.{}", last, up_.has_attention(block) ? 2 : 1, words.rest());
    }
    static std::string layer(std::string_view list, std::size_t first, Words words) {
        const bool attention = words.take("attentions");
        if (!attention) words.take("resnets");
        const std::size_t place = first + words.take_number();
        if (attention) return fmt::format("{}.{}.1.{}", list, place, words.rest());
        return fmt::format("{}.{}.0.{}", list, place, rename_front(words.rest(), unet_resnet));
    }

    BlockLayout down_, up_;
};

const Renames vae_half{{"conv_norm_out", "norm_out"},
                       {"mid_block.resnets.0", "mid.block_1"},
                       {"mid_block.resnets.1", "mid.block_2"},
                       {"mid_block.attentions.0.group_norm", "mid.attn_1.norm"},
                       {"mid_block.attentions.0.to_q", "mid.attn_1.q"},
                       {"mid_block.attentions.0.to_k", "mid.attn_1.k"},
                       {"mid_block.attentions.0.to_v", "mid.attn_1.v"},
                       {"mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"}};
const Renames vae_resnet{{"conv_shortcut", "nin_shortcut"}};

/// A parameter of an encoder or decoder of `levels` levels; the original decoder counts them from the full size.
std::string vae_half_name(Words words, std::size_t levels) {
    const bool down = words.take("down_blocks");
    if (!down && !words.take("up_blocks")) return rename_front(words.rest(), vae_half);
    const std::size_t block = words.take_number();
    const std::string level = down ? fmt::format("down.{}", block) : fmt::format("up.{}", levels - 1 - block);
    if (words.take("downsamplers.0")) return fmt::format("{}.downsample.{}", level, words.rest());
    if (words.take("upsamplers.0")) return fmt::format("{}.upsample.{}", level, words.rest());
    words.take("resnets");
    const std::size_t layer = words.take_number();
    return fmt::format("{}.block.{}.{}", level, layer, rename_front(words.rest(), vae_resnet));
}

const Renames open_clip_top{{"embeddings.token_embedding", "token_embedding"},
                            {"embeddings.position_embedding.weight", "positional_embedding"},
                            {"text_projection.weight", "text_projection"},
                            {"final_layer_norm", "ln_final"}};
const Renames open_clip_layer{{"layer_norm1", "ln_1"},
                              {"layer_norm2", "ln_2"},
                              {"mlp.fc1", "mlp.c_fc"},
                              {"mlp.fc2", "mlp.c_proj"},
                              {"self_attn.out_proj", "attn.out_proj"},
                              {"self_attn.q_proj.weight", "attn.in_proj_weight"},
                              {"self_attn.k_proj.weight", "attn.in_proj_weight"},
                              {"self_attn.v_proj.weight", "attn.in_proj_weight"},
                              {"self_attn.q_proj.bias", "attn.in_proj_bias"},
                              {"self_attn.k_proj.bias", "attn.in_proj_bias"},
                              {"self_attn.v_proj.bias", "attn.in_proj_bias"}};

std::string open_clip_name(const std::string& name) {
    Words words(name);
    if (!words.take("encoder.layers")) return rename_front(name, open_clip_top);
    const std::size_t layer = words.take_number();
    return fmt::format("transformer.resblocks.{}.{}", layer, rename_front(words.rest(), open_clip_layer));
}

Cut open_clip_cut(std::string_view name) {
    if (name == "text_projection.weight") return Cut::transposed;
    if (name.find("self_attn.q_proj.") != name.npos) return Cut::first_third;
    if (name.find("self_attn.k_proj.") != name.npos) return Cut::second_third;
    if (name.find("self_attn.v_proj.") != name.npos) return Cut::last_third;
    return Cut::whole;
}

/// The layer behind the last of ours, as another name of every parameter of that one.
void add_left_out_layer(NameTable& table, const std::vector<std::string>& ours) {
    std::size_t layers = 0;
    for (const std::string& name : ours) {
        Words words(name);
        if (words.take("encoder.layers")) layers = std::max(layers, words.take_number() + 1);
    }
    const std::string last = fmt::format("transformer.resblocks.{}.", layers - 1), next = fmt::format("transformer.resblocks.{}.", layers);
    for (const auto& [name, targets] : table.stored)
        if (name.starts_with(last)) table.unused.insert(next + name.substr(last.size()));
}

/// Leaves out what a CLIP file holds beside the network: a buffer, the contrastive scale, and the projection where none is asked for.
void add_unused_clip_names(NameTable& table, std::string_view prefix) {
    for (const std::string_view name : {"embeddings.position_ids", "logit_scale", "text_projection", "text_projection.weight"}) {
        table.unused.insert(fmt::format("{}{}", prefix, name));
        table.unused.emplace(name);
    }
    for (const auto& [name, targets] : table.stored) table.unused.erase(name);
}

}  // namespace

NameTable unet_checkpoint_names(const std::vector<std::string>& ours) {
    const UNetNames names(ours);
    NameTable table;
    for (const std::string& name : ours) table.stored[names.theirs(name)].push_back({name});
    // The original code of consistency models never had this one: files carry it under either spelling of its module.
    constexpr const char* guidance = "time_embedding.cond_proj.weight";
    if (table.stored.contains(guidance)) table.stored["time_embed.cond_proj.weight"].push_back({guidance});
    return table;
}

NameTable controlnet_checkpoint_names(const std::vector<std::string>& ours) {
    const UNetNames names(ours);
    std::size_t blocks = 0;  // of the map's own convolutions; every second place of their list is an activation
    for (const std::string& name : ours) {
        Words words(name);
        if (words.take("controlnet_cond_embedding.blocks")) blocks = std::max(blocks, words.take_number() + 1);
    }
    const auto map = [](std::size_t place, const Words& words) { return fmt::format("input_hint_block.{}.{}", 2 * place, words.rest()); };
    const auto theirs = [&](const std::string& name) {
        Words words(name);
        if (words.take("controlnet_cond_embedding.conv_in")) return map(0, words);
        if (words.take("controlnet_cond_embedding.conv_out")) return map(blocks + 1, words);
        if (words.take("controlnet_mid_block")) return fmt::format("middle_block_out.0.{}", words.rest());
        if (words.take("controlnet_cond_embedding.blocks")) {
            const std::size_t block = words.take_number();
            return map(block + 1, words);
        }
        if (!words.take("controlnet_down_blocks")) return names.theirs(name);
        const std::size_t skip = words.take_number();
        return fmt::format("zero_convs.{}.0.{}", skip, words.rest());
    };
    NameTable table;
    for (const std::string& name : ours) table.stored[theirs(name)].push_back({name});
    return table;
}

NameTable t2i_adapter_original_names(const std::vector<std::string>& ours, std::size_t layers) {
    NameTable table;
    for (const std::string& name : ours) {
        Words words(name);
        words.take("adapter");
        std::string theirs(words.rest());
        if (words.take("body")) {
            const std::size_t level = words.take_number(), layer = words.take("resnets") ? words.take_number() : 0;
            theirs = fmt::format("body.{}.{}", level * layers + layer, words.rest());
        }
        table.stored[theirs].push_back({name});
    }
    return table;
}

NameTable vae_checkpoint_names(const std::vector<std::string>& ours) {
    const std::size_t down = BlockLayout(ours, "encoder.down_blocks").blocks(), up = BlockLayout(ours, "decoder.up_blocks").blocks();
    NameTable table;
    for (const std::string& name : ours) {
        Words words(name);
        std::string theirs = name;
        if (words.take("encoder"))
            theirs = "encoder." + vae_half_name(words, down);
        else if (words.take("decoder"))
            theirs = "decoder." + vae_half_name(words, up);
        table.stored[theirs].push_back({name});
    }
    return table;
}

NameTable tiny_vae_names(const std::vector<std::string>& ours, const TinyHalves& halves) {
    NameTable table;
    for (const std::string& name : ours) {
        Words words(name);
        const bool encoder = words.take("encoder.layers");
        if (!encoder) words.take("decoder.layers");
        const auto& before = encoder ? halves.encoder : halves.decoder;
        if (!before) continue;
        const std::size_t number = words.take_number() + (encoder ? 0 : 1);
        table.stored[fmt::format("{}{}.{}", *before, number, words.rest())].push_back({name});
    }
    return table;
}

NameTable clip_checkpoint_names(const std::vector<std::string>& ours) {
    NameTable table;
    for (const std::string& name : ours) table.stored[name.starts_with("text_projection") ? name : "text_model." + name].push_back({name});
    add_unused_clip_names(table, "text_model.");
    return table;
}

NameTable open_clip_checkpoint_names(const std::vector<std::string>& ours) {
    NameTable table;
    for (const std::string& name : ours) table.stored[open_clip_name(name)].push_back({name, open_clip_cut(name)});
    add_unused_clip_names(table, "");
    const bool projects = table.stored.contains("text_projection");
    if (!projects) add_left_out_layer(table, ours);
    return table;
}

bool is_unused_in_checkpoints(std::string_view name) {
    static const std::set<std::string_view> schedules{"alphas_cumprod",
                                                      "alphas_cumprod_prev",
                                                      "betas",
                                                      "denoiser.log_sigmas",
                                                      "denoiser.sigmas",
                                                      "log_one_minus_alphas_cumprod",
                                                      "logvar",
                                                      "posterior_log_variance_clipped",
                                                      "posterior_mean_coef1",
                                                      "posterior_mean_coef2",
                                                      "posterior_variance",
                                                      "scale_factor",
                                                      "sqrt_alphas_cumprod",
                                                      "sqrt_one_minus_alphas_cumprod",
                                                      "sqrt_recip_alphas_cumprod",
                                                      "sqrt_recipm1_alphas_cumprod",
                                                      "v_pred",
                                                      "ztsnr"};
    return schedules.contains(name) || name.starts_with("model_ema.") || name.starts_with("loss.") ||
           name.starts_with("first_stage_model.loss.") || name.starts_with("first_stage_model.model_ema.");
}

}  // namespace lcm
