#include "lib/core/weights/keras_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "lib/base/error.h"

namespace lcm {
namespace {

/// What a layer is.
enum class Kind { embedding, clip_layer, norm, dense, conv, resnet, transformer, vae_resnet, vae_attention };

/// A kind of layer: the sides of its weights, and their names in the original code, in Keras's order. A name that ends in `*` stands for a
/// weight and a bias.
struct LayerForm {
    Kind kind;
    std::string_view sides;
    std::vector<std::string_view> names;
};

const std::array forms{
    LayerForm{Kind::embedding, "22", {"token_embedding.weight", "position_embedding.weight"}},
    LayerForm{Kind::clip_layer,
              "1121212121112121",
              {"layer_norm1.*", "self_attn.q_proj.*", "self_attn.k_proj.*", "self_attn.v_proj.*", "self_attn.out_proj.*", "layer_norm2.*",
               "mlp.fc1.*", "mlp.fc2.*"}},
    LayerForm{Kind::norm, "11", {"*"}},
    LayerForm{Kind::dense, "21", {"*"}},
    LayerForm{Kind::conv, "41", {"*"}},
    LayerForm{Kind::resnet, "1141211141", {"in_layers.0.*", "in_layers.2.*", "emb_layers.1.*", "out_layers.0.*", "out_layers.3.*"}},
    LayerForm{Kind::resnet,
              "114121114141",
              {"in_layers.0.*", "in_layers.2.*", "emb_layers.1.*", "out_layers.0.*", "out_layers.3.*", "skip_connection.*"}},
    LayerForm{Kind::vae_resnet, "11411141", {"norm1.*", "conv1.*", "norm2.*", "conv2.*"}},
    LayerForm{Kind::vae_resnet, "1141114141", {"norm1.*", "conv1.*", "norm2.*", "conv2.*", "nin_shortcut.*"}},
    LayerForm{Kind::vae_attention, "1141414141", {"norm.*", "q.*", "k.*", "v.*", "proj_out.*"}},
};

const std::vector<std::string_view> transformer_names{"norm.*",
                                                      "proj_in.*",
                                                      "transformer_blocks.0.norm1.*",
                                                      "transformer_blocks.0.attn1.to_q.weight",
                                                      "transformer_blocks.0.attn1.to_k.weight",
                                                      "transformer_blocks.0.attn1.to_v.weight",
                                                      "transformer_blocks.0.attn1.to_out.0.*",
                                                      "transformer_blocks.0.norm2.*",
                                                      "transformer_blocks.0.attn2.to_q.weight",
                                                      "transformer_blocks.0.attn2.to_k.weight",
                                                      "transformer_blocks.0.attn2.to_v.weight",
                                                      "transformer_blocks.0.attn2.to_out.0.*",
                                                      "transformer_blocks.0.norm3.*",
                                                      "transformer_blocks.0.ff.net.0.proj.*",
                                                      "transformer_blocks.0.ff.net.2.*",
                                                      "proj_out.*"};
/// Its projections are convolutions in SD 1 and matrices in SD 2.
const std::array transformers{LayerForm{Kind::transformer,
                                        "1141"
                                        "1122221"
                                        "1122221"
                                        "112121"
                                        "41",
                                        transformer_names},
                              LayerForm{Kind::transformer,
                                        "1121"
                                        "1122221"
                                        "1122221"
                                        "112121"
                                        "21",
                                        transformer_names}};

const LayerForm* find_form(const KerasLayer& layer) {
    std::string sides;
    for (const KerasWeight& weight : layer.weights) sides += std::to_string(weight.shape.size());
    for (const LayerForm& form : forms)
        if (form.sides == sides) return &form;
    for (const LayerForm& form : transformers)
        if (form.sides == sides) return &form;
    return nullptr;
}

/// Kernels [height,width,in,out] become [out,in,height,width], matrices [in,out] become [out,in]; tables of embeddings stay.
std::vector<std::int64_t> order_of(const KerasWeight& weight, Kind kind) {
    if (weight.shape.size() == 4) return {3, 2, 0, 1};
    if (weight.shape.size() == 2 && kind != Kind::embedding) return {1, 0};
    return {};
}

/// Reads layers from the front and gives them their places in the network.
class Walk {
public:
    Walk(const std::vector<KerasLayer>& layers, const std::string& path) : layers_(layers), path_(path) {
        for (const KerasLayer& layer : layers) {
            forms_.push_back(find_form(layer));
            if (!forms_.back())
                refuse(layer, fmt::format("its {} weights are those of no layer of Stable Diffusion", layer.weights.size()));
        }
    }

    /// True when the next layer is of this kind.
    bool at(Kind kind) const { return next_ < layers_.size() && forms_[next_]->kind == kind; }
    bool done() const { return next_ == layers_.size(); }
    std::size_t count(Kind kind) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            forms_, [&](const LayerForm* form) { return form->kind == kind; }));
    }
    /// Names the next layer, which must be of this kind. @param place  in the original code
    void take(Kind kind, const std::string& place) {
        if (done()) throw Error(ExitCode::data, path_, fmt::format("the layer of {} is missing", place), "download it again");
        const KerasLayer& layer = layers_[next_];
        if (!at(kind)) refuse(layer, fmt::format("it stands where Stable Diffusion has {}", place));
        std::size_t weight = 0;
        for (const std::string_view name : forms_[next_]->names) {
            const bool both = name.ends_with('*');
            const std::string whole = fmt::format("{}.{}", place, both ? name.substr(0, name.size() - 1) : name);
            add(both ? whole + "weight" : whole, layer.weights[weight++], kind);
            if (both) add(whole + "bias", layer.weights[weight++], kind);
        }
        ++next_;
    }
    const KerasLayer& layer() const { return layers_[next_]; }
    std::vector<NamedKerasWeight> end() {
        if (!done()) refuse(layer(), "the network has no layer left to take it");
        return std::move(named_);
    }
    [[noreturn]] void refuse(const KerasLayer& layer, const std::string& what) const {
        throw Error(ExitCode::data, fmt::format("{}: layer \"{}\"", path_, layer.name), what,
                    "take the weights of KerasCV's Stable Diffusion, as its models save them");
    }

private:
    void add(const std::string& name, const KerasWeight& weight, Kind kind) { named_.push_back({name, weight, order_of(weight, kind)}); }

    const std::vector<KerasLayer>& layers_;
    const std::string& path_;
    std::vector<const LayerForm*> forms_;
    std::size_t next_ = 0;
    std::vector<NamedKerasWeight> named_;
};

void name_text_encoder(Walk& walk) {
    walk.take(Kind::embedding, "text_model.embeddings");
    for (std::size_t i = 0; walk.at(Kind::clip_layer); ++i) walk.take(Kind::clip_layer, fmt::format("text_model.encoder.layers.{}", i));
    walk.take(Kind::norm, "text_model.final_layer_norm");
}

/// The way down: a list of blocks, each a resnet with or without attention, or a convolution that halves.
void name_way_down(Walk& walk, std::size_t resnets) {
    walk.take(Kind::conv, "input_blocks.0.0");
    for (std::size_t block = 1, seen = 0; seen < resnets; ++block) {
        if (walk.at(Kind::conv)) {
            walk.take(Kind::conv, fmt::format("input_blocks.{}.0.op", block));
            continue;
        }
        walk.take(Kind::resnet, fmt::format("input_blocks.{}.0", block));
        if (walk.at(Kind::transformer)) walk.take(Kind::transformer, fmt::format("input_blocks.{}.1", block));
        ++seen;
    }
}

void name_way_up(Walk& walk) {
    for (std::size_t block = 0; walk.at(Kind::resnet); ++block) {
        walk.take(Kind::resnet, fmt::format("output_blocks.{}.0", block));
        std::size_t place = 1;
        if (walk.at(Kind::transformer)) walk.take(Kind::transformer, fmt::format("output_blocks.{}.{}", block, place++));
        if (walk.at(Kind::conv)) walk.take(Kind::conv, fmt::format("output_blocks.{}.{}.conv", block, place));
    }
}

/// The time's two layers stand among the first ones, where a graph's order leaves them: they are the only matrices and are taken out first.
std::vector<NamedKerasWeight> name_unet(const std::vector<KerasLayer>& layers, const std::string& path) {
    std::vector<KerasLayer> time, rest;
    for (const KerasLayer& layer : layers) (find_form(layer)->kind == Kind::dense ? time : rest).push_back(layer);
    Walk walk(rest, path), times(time, path);
    times.take(Kind::dense, "time_embed.0");
    times.take(Kind::dense, "time_embed.2");
    // Each skip has a resnet on the way up: n down, 2 in the middle, and up n, a step down each and the first convolution.
    const std::size_t steps = (walk.count(Kind::conv) - 2) / 2, resnets = walk.count(Kind::resnet);
    if (walk.count(Kind::conv) < 2 || resnets < 3 + steps || (resnets - 3 - steps) % 2 != 0)
        throw Error(ExitCode::data, path, fmt::format("its {} resnets and {} convolutions make no UNet", resnets, walk.count(Kind::conv)));
    name_way_down(walk, (resnets - 3 - steps) / 2);
    walk.take(Kind::resnet, "middle_block.0");
    walk.take(Kind::transformer, "middle_block.1");
    walk.take(Kind::resnet, "middle_block.2");
    name_way_up(walk);
    walk.take(Kind::norm, "out.0");
    walk.take(Kind::conv, "out.2");
    std::vector<NamedKerasWeight> named = walk.end();
    for (NamedKerasWeight& weight : times.end()) named.push_back(std::move(weight));
    return named;
}

void name_middle(Walk& walk, const std::string& half) {
    walk.take(Kind::vae_attention, half + ".mid.attn_1");
    walk.take(Kind::vae_resnet, half + ".mid.block_2");
}

void name_decoder(Walk& walk) {
    std::size_t level = walk.count(Kind::conv) - 3;  // but for the first two and the last each convolution doubles the size
    walk.take(Kind::conv, "post_quant_conv");
    walk.take(Kind::conv, "decoder.conv_in");
    walk.take(Kind::vae_resnet, "decoder.mid.block_1");
    name_middle(walk, "decoder");
    for (;; --level) {
        for (std::size_t i = 0; walk.at(Kind::vae_resnet); ++i)
            walk.take(Kind::vae_resnet, fmt::format("decoder.up.{}.block.{}", level, i));
        if (level == 0) break;
        walk.take(Kind::conv, fmt::format("decoder.up.{}.upsample.conv", level));
    }
    walk.take(Kind::norm, "decoder.norm_out");
    walk.take(Kind::conv, "decoder.conv_out");
}

/// @param last  resnets of the last level: those before the attention, but for the first of the middle
void name_image_encoder(Walk& walk, std::size_t last) {
    const std::size_t steps = walk.count(Kind::conv) - 3;  // but for the first and the last two each convolution halves the size
    walk.take(Kind::conv, "encoder.conv_in");
    for (std::size_t level = 0;; ++level) {
        const std::string place = fmt::format("encoder.down.{}", level);
        for (std::size_t i = 0; walk.at(Kind::vae_resnet) && (level < steps || i < last); ++i)
            walk.take(Kind::vae_resnet, fmt::format("{}.block.{}", place, i));
        if (level == steps) break;
        walk.take(Kind::conv, place + ".downsample.conv");
    }
    walk.take(Kind::vae_resnet, "encoder.mid.block_1");
    name_middle(walk, "encoder");
    walk.take(Kind::norm, "encoder.norm_out");
    walk.take(Kind::conv, "encoder.conv_out");
    walk.take(Kind::conv, "quant_conv");
}

/// How many resnets stand right before the attention, without the first of the middle.
std::size_t resnets_before_attention(const std::vector<KerasLayer>& layers) {
    std::size_t run = 0;
    for (const KerasLayer& layer : layers) {
        const Kind kind = find_form(layer)->kind;
        if (kind == Kind::vae_attention) break;
        run = kind == Kind::vae_resnet ? run + 1 : 0;
    }
    return run > 0 ? run - 1 : 0;
}

}  // namespace

bool is_hdf5(std::span<const std::byte> file) {
    constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
    return std::string_view(reinterpret_cast<const char*>(file.data()), file.size()).starts_with(signature);
}

std::vector<NamedKerasWeight> name_keras_weights(const std::vector<KerasLayer>& layers, const std::string& path) {
    Walk walk(layers, path);
    if (walk.count(Kind::resnet) > 0) return name_unet(layers, path);
    if (walk.at(Kind::embedding)) {
        name_text_encoder(walk);
    } else if (walk.count(Kind::vae_resnet) > 0 && walk.count(Kind::conv) >= 3 && walk.at(Kind::conv)) {
        // The decoder alone begins with a convolution of one pixel.
        if (walk.layer().weights.front().shape.front() == 1)
            name_decoder(walk);
        else
            name_image_encoder(walk, resnets_before_attention(layers));
    } else {
        throw Error(ExitCode::data, path, "holds layers of Keras, and no part of Stable Diffusion",
                    "give the text encoder, diffusion model, decoder or image encoder of KerasCV");
    }
    return walk.end();
}

}  // namespace lcm
