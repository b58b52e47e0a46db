#pragma once

#include <string>

namespace lcm {

/// Names of weights in published files -> the names our networks ask for (those of diffusers and transformers today).
/// An empty result drops a tensor that no network uses. Each fits `WeightSet::KeyMap`.

/// AutoencoderKL: the old attention names `query`, `key`, `value`, `proj_attn` become `to_q`, `to_k`, `to_v`, `to_out.0`.
std::string vae_key(const std::string& name);

/// CLIP text encoders: the prefix `text_model.` is taken off where there is one (transformers before 5.6 wrote it);
/// `embeddings.position_ids`, a buffer of old files, is dropped.
std::string text_encoder_key(const std::string& name);

}  // namespace lcm
