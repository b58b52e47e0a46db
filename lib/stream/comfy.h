#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/stream/record.h"

namespace lcm {

/// ComfyUI's one tensor, [B,C,H,W], and the empty one that says that its values are in unscaled VAE space.
inline constexpr std::string_view comfy_tensor = "latent_tensor";
inline constexpr std::string_view comfy_marker = "latent_format_version_0";

/// The latents of a `.latent` file, one record each, in unscaled VAE space (`lcm.latent_space` "vae"); values of a file without the
/// marker are divided by 0.18215. The file's metadata, the workflow of its user, is left behind.
/// @param file  all tensors as they stand in the file
/// @throws Error(data) for another tensor, type or rank
std::vector<Record> comfy_records(const Record& file);

/// Writes the latents of records as one `.latent` file with the marker, in F32. Does not call `finish()`.
/// @throws Error(data) when a record has no finished F32 latent, its scale is unknown, or shapes differ
void write_comfy(ByteSink& sink, std::span<const Record> records);

}  // namespace lcm
