#include "lib/core/bundle/part_source.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "lib/base/error.h"
#include "lib/core/weights/checkpoint_names.h"
#include "lib/core/weights/key_map.h"

namespace lcm {
namespace {

/// A parameter that tells a layout, and what stands before the names there.
struct Sign {
    Naming naming;
    std::string_view prefix, name;
};

constexpr std::string_view clip_name = "text_model.embeddings.token_embedding.weight";
constexpr std::string_view open_clip_name = "token_embedding.weight";

constexpr std::array unet_signs{Sign{Naming::diffusers, "", "conv_in.weight"},
                                Sign{Naming::original, "model.diffusion_model.", "input_blocks.0.0.weight"},
                                Sign{Naming::original, "", "input_blocks.0.0.weight"}};
constexpr std::array vae_signs{Sign{Naming::diffusers, "", "decoder.mid_block.resnets.0.conv1.weight"},
                               Sign{Naming::diffusers, "", "decoder.layers.0.weight"},
                               Sign{Naming::original, "first_stage_model.", "decoder.mid.block_1.conv1.weight"},
                               Sign{Naming::original, "", "decoder.mid.block_1.conv1.weight"},
                               Sign{Naming::original, "", "encoder.mid.block_1.conv1.weight"},
                               Sign{Naming::tiny, "", "decoder.1.weight"},
                               Sign{Naming::tiny, "", "encoder.1.conv.0.weight"},
                               Sign{Naming::tiny, "taesd_", "decoder.1.weight"},
                               Sign{Naming::tiny, "taesd_", "encoder.1.conv.0.weight"},
                               Sign{Naming::tiny_decoder, "", "1.weight"},
                               Sign{Naming::tiny_encoder, "", "1.conv.0.weight"}};
constexpr std::array text_signs{Sign{Naming::original, "cond_stage_model.transformer.", clip_name},
                                Sign{Naming::original, "cond_stage_model.transformer.", "embeddings.token_embedding.weight"},
                                Sign{Naming::original, "conditioner.embedders.0.transformer.", clip_name},
                                Sign{Naming::open_clip, "cond_stage_model.model.", open_clip_name},
                                Sign{Naming::diffusers, "", clip_name},
                                Sign{Naming::diffusers, "", "embeddings.token_embedding.weight"},
                                Sign{Naming::open_clip, "", open_clip_name}};
constexpr std::array text_2_signs{Sign{Naming::open_clip, "conditioner.embedders.1.model.", open_clip_name},
                                  Sign{Naming::diffusers, "", clip_name}, Sign{Naming::diffusers, "", "embeddings.token_embedding.weight"},
                                  Sign{Naming::open_clip, "", open_clip_name}};

std::span<const Sign> signs_of(Part part) {
    switch (part) {
        case Part::text_encoder:
            return text_signs;
        case Part::text_encoder_2:
            return text_2_signs;
        case Part::unet:
            return unet_signs;
        case Part::vae:
            return vae_signs;
    }
    throw Error(ExitCode::software, "", "no such part");
}

}  // namespace

std::string_view folder(Part part) {
    switch (part) {
        case Part::text_encoder:
            return "text_encoder";
        case Part::text_encoder_2:
            return "text_encoder_2";
        case Part::unet:
            return "unet";
        case Part::vae:
            return "vae";
    }
    throw Error(ExitCode::software, "", "no such part");
}

std::optional<Layout> find_layout(const WeightFile& file, Part part) {
    for (const Sign& sign : signs_of(part))
        if (file.has(fmt::format("{}{}", sign.prefix, sign.name))) return Layout{sign.naming, std::string(sign.prefix)};
    return std::nullopt;
}

WeightSet::KeyMap key_map(Part part) {
    if (part == Part::unet) return {};
    return part == Part::vae ? vae_key : text_encoder_key;
}

namespace {

NameTable vae_names(Naming naming, const std::vector<std::string>& ours) {
    switch (naming) {
        case Naming::tiny:
            return tiny_vae_names(ours, {.encoder = "encoder.", .decoder = "decoder."});
        case Naming::tiny_encoder:
            return tiny_vae_names(ours, {.encoder = "", .decoder = {}});
        case Naming::tiny_decoder:
            return tiny_vae_names(ours, {.encoder = {}, .decoder = ""});
        default:
            return vae_checkpoint_names(ours);
    }
}

}  // namespace

NameTable name_table(Part part, const Layout& layout, const std::vector<std::string>& ours) {
    NameTable table;
    if (part == Part::unet)
        table = unet_checkpoint_names(ours);
    else if (part == Part::vae)
        table = vae_names(layout.naming, ours);
    else
        table = layout.naming == Naming::open_clip ? open_clip_checkpoint_names(ours) : clip_checkpoint_names(ours);
    table.prefix = layout.prefix;
    return table;
}

}  // namespace lcm
