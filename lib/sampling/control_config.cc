#include "lib/sampling/control_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "lib/base/error.h"
#include "lib/core/weights/checkpoint_names.h"
#include "lib/core/weights/name_recorder.h"

namespace lcm {
namespace {

constexpr const char* other_family = "take one that was trained for this family of models";
using Widths = std::vector<std::int64_t>;

/// Side `side` of tensor `name`. @throws Error(data) naming file and tensor
std::int64_t side_of(const WeightFile& file, const std::string& name, std::size_t side) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end()) throw Error(ExitCode::data, tensor_place(file.path(), name), "the tensor is missing");
    const auto& shape = found->second.shape;
    if (side < shape.size() && shape[side] > 0) return shape[side];
    throw Error(ExitCode::data, tensor_place(file.path(), name), fmt::format("the shape [{}] is no weight's", fmt::join(shape, ",")));
}

/// The widths of a numbered list of convolutions, as many as there are, from `first` on.
Widths listed_widths(const WeightFile& file, const std::string& before, const std::string& after, std::size_t step = 1) {
    Widths widths;
    for (std::size_t i = 0;; i += step) {
        const std::string name = fmt::format("{}{}{}", before, i, after);
        if (!file.has(name)) return widths;
        widths.push_back(side_of(file, name, 0));
    }
}

/// How a ControlNet's file names what its shape is read off.
struct ControlNames {
    bool original;
    std::string prefix, map_in;
};

/// @throws Error(data) when the file is none
ControlNames find_control_names(const WeightFile& file) {
    for (const std::string prefix : {"control_model.", ""})
        if (const std::string first = prefix + "input_hint_block.0.weight"; file.has(first)) return {true, prefix, first};
    if (const std::string first = "controlnet_cond_embedding.conv_in.weight"; file.has(first)) return {false, "", first};
    throw Error(ExitCode::data, file.path(), "is no ControlNet: it has neither input_hint_block nor controlnet_cond_embedding",
                "give a ControlNet's folder or file");
}

/// A file may hold the model that the ControlNet was trained on beside it; anything else that no network asks for is refused.
void refuse_strangers(const WeightFile& file, const std::string& prefix) {
    for (const auto& [name, entry] : file.tensors()) {
        bool known = name.starts_with(prefix) || is_unused_in_checkpoints(name);
        for (const std::string_view part : {"model.diffusion_model.", "first_stage_model.", "cond_stage_model.", "conditioner."})
            known = known || name.starts_with(part);
        if (!known) throw Error(ExitCode::data, tensor_place(file.path(), name), "the tensor belongs to no ControlNet");
    }
}

/// Widths of the map's own convolutions: all halve but the first and the last, each behind one that keeps its size.
Widths embedding_widths(const WeightFile& file, const ControlNames& names) {
    Widths all = names.original ? listed_widths(file, names.prefix + "input_hint_block.", ".weight", 2)
                                : listed_widths(file, "controlnet_cond_embedding.blocks.", ".weight");
    if (!names.original)
        all.insert(all.begin(), side_of(file, names.map_in, 0));
    else if (all.size() > 1)
        all.pop_back();  // the one into the UNet's width
    Widths widths{all.front()};
    for (std::size_t i = 2; i < all.size(); i += 2) widths.push_back(all[i]);
    return widths;
}

/// The widths of the skips of a UNet: its first convolution, then each level's layers and the step down behind them.
Widths skip_widths(const UNetConfig& unet) {
    Widths widths{unet.block_out_channels.front()};
    for (std::size_t i = 0; i < unet.block_out_channels.size(); ++i) {
        const std::int64_t more = unet.layers_per_block[i] + (i + 1 < unet.block_out_channels.size() ? 1 : 0);
        widths.insert(widths.end(), static_cast<std::size_t>(more), unet.block_out_channels[i]);
    }
    return widths;
}

void expect_fits(const WeightFile& file, const ControlNames& names, const UNetConfig& unet) {
    const Widths ours = names.original ? listed_widths(file, names.prefix + "zero_convs.", ".0.weight")
                                       : listed_widths(file, "controlnet_down_blocks.", ".weight");
    const Widths theirs = skip_widths(unet);
    if (ours != theirs)
        throw Error(ExitCode::data, file.path(), fmt::format("the ControlNet has skips of widths {}, the UNet {}", ours, theirs),
                    other_family);
    const std::string middle = names.original ? names.prefix + "middle_block.1" : "mid_block.attentions.0";
    const std::string text = middle + ".transformer_blocks.0.attn2.to_k.weight";
    if (!file.has(text)) return;  // building it tells what is missing
    const std::int64_t width = side_of(file, text, 1);
    if (width != unet.cross_attention_dim.front())
        throw Error(ExitCode::data, tensor_place(file.path(), text),
                    fmt::format("the ControlNet has text width {}, the UNet {}", width, unet.cross_attention_dim.front()), other_family);
}

}  // namespace

ControlFile<ControlNetConfig> read_controlnet_file(const WeightFile& file, const UNetConfig& unet) {
    const ControlNames names = find_control_names(file);
    ControlNetConfig config;
    config.unet = unet;
    config.unet.in_channels = unet.out_channels;  // it sees latents alone, also beside a UNet that is given a mask
    config.embedding_widths = embedding_widths(file, names);
    config.conditioning_channels = side_of(file, names.map_in, 1);
    expect_fits(file, names, unet);
    const auto guided = [&](const char* name) { return file.has(names.prefix + name); };
    if (!guided("time_embedding.cond_proj.weight") && !guided("time_embed.cond_proj.weight")) config.unet.time_cond_proj_dim.reset();
    if (!names.original) return {config, std::nullopt};
    refuse_strangers(file, names.prefix);
    NameRecorder recorder;
    ControlNet(config, recorder);
    NameTable table = controlnet_checkpoint_names(recorder.names());
    table.prefix = names.prefix;
    return {config, table};
}

ControlFile<T2IAdapterConfig> read_t2i_adapter_file(const WeightFile& file, const UNetConfig& unet) {
    const bool original = file.has("conv_in.weight") && file.has("body.0.block1.weight");
    const std::string first = original ? "conv_in.weight" : "adapter.conv_in.weight";
    if (!file.has(first))
        throw Error(ExitCode::data, file.path(), "is no T2I-Adapter: it has neither body.0.block1 nor adapter.conv_in",
                    "give a full T2I-Adapter's folder or file");
    T2IAdapterConfig config;
    config.channels = unet.block_out_channels;
    config.in_channels = std::max<std::int64_t>(1, side_of(file, first, 1) / (config.downscale_factor * config.downscale_factor));
    const Widths ours = listed_widths(file, original ? "body." : "adapter.body.", original ? ".block2.weight" : ".resnets.0.block2.weight");
    const std::size_t levels = config.channels.size();
    Widths theirs = config.channels;
    if (original) {  // the list is flat: as many blocks a level as divide it
        config.num_res_blocks = std::max<std::int64_t>(1, std::ssize(ours) / std::ssize(config.channels));
        theirs.clear();
        for (std::size_t i = 0; i < levels * static_cast<std::size_t>(config.num_res_blocks); ++i)
            theirs.push_back(config.channels[i / static_cast<std::size_t>(config.num_res_blocks)]);
    } else {
        config.num_res_blocks = std::ssize(listed_widths(file, "adapter.body.0.resnets.", ".block2.weight"));
    }
    if (ours != theirs)
        throw Error(ExitCode::data, file.path(), fmt::format("the T2I-Adapter has blocks of widths {}, the UNet asks for {}", ours, theirs),
                    other_family);
    if (!original) return {config, std::nullopt};
    NameRecorder recorder;
    T2IAdapter(config, recorder);
    return {config, t2i_adapter_original_names(recorder.names(), static_cast<std::size_t>(config.num_res_blocks))};
}

}  // namespace lcm
