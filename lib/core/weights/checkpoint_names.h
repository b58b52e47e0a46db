#pragma once

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

/// CLIP text encoder as transformers wrote it: `text_model.` before every name.
NameTable clip_checkpoint_names(const std::vector<std::string>& ours);

/// CLIP text encoder as OpenCLIP wrote it: q, k and v stacked, the projection transposed. Stable Diffusion 2 leaves out the last layer,
/// which its files hold nevertheless.
NameTable open_clip_checkpoint_names(const std::vector<std::string>& ours);

/// True for tensors of a checkpoint that belong to no network: noise schedules, averaged copies (`model_ema`), losses, marks.
bool is_unused_in_checkpoints(std::string_view name);

}  // namespace lcm
