#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/weights/name_table.h"

namespace lcm {

/// The names that the original code of Stable Diffusion (LDM, SGM, OpenCLIP) gave the parameters of our networks.
///
/// Each function takes all names that one network asks for (`NameRecorder`) and makes the dictionary from them.

/// UNet: `input_blocks`, `middle_block`, `output_blocks`.
NameTable unet_checkpoint_names(const std::vector<std::string>& ours);

/// AutoencoderKL: `down`, `mid.attn_1`, `up`.
NameTable vae_checkpoint_names(const std::vector<std::string>& ours);

/// ControlNet: the UNet's names, `input_hint_block`, `zero_convs`, `middle_block_out`.
NameTable controlnet_checkpoint_names(const std::vector<std::string>& ours);

/// T2I-Adapter of `layers` blocks a level: one flat list `body`.
NameTable t2i_adapter_original_names(const std::vector<std::string>& ours, std::size_t layers);

/// What stands before the numbers of a tiny VAE's halves; nothing where a half is not in the file.
struct TinyHalves {
    std::optional<std::string_view> encoder, decoder;
};

/// AutoencoderTiny as TAESD's own code numbers it: one flat list a half; the decoder's begins with its clamp, which has no weights.
NameTable tiny_vae_names(const std::vector<std::string>& ours, const TinyHalves& halves);

/// CLIP text encoder as transformers wrote it: `text_model.` before every name.
NameTable clip_checkpoint_names(const std::vector<std::string>& ours);

/// CLIP text encoder as OpenCLIP wrote it: q, k and v stacked, the projection transposed. Stable Diffusion 2 leaves out the last layer,
/// which its files hold nevertheless.
NameTable open_clip_checkpoint_names(const std::vector<std::string>& ours);

/// True for tensors of a checkpoint that belong to no network: noise schedules, averaged copies (`model_ema`), losses, marks.
bool is_unused_in_checkpoints(std::string_view name);

}  // namespace lcm
