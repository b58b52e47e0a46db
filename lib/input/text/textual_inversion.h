#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/bundle/bundle.h"

namespace lcm {

/// Learned vectors that stand for a word of the prompt (textual inversion).
struct TextualInversion {
    std::string name;                    ///< as it is written in a prompt
    std::map<Part, at::Tensor> vectors;  ///< [n,D] F32 for each text encoder
};

/// Reads a safetensors file of vectors: the web UI's `emb_params`, one tensor of any name (diffusers), or `clip_l` and `clip_g` (SDXL).
/// @throws Error(data) naming file and tensor when the vectors do not fit the widths of the bundle's text encoders; as WeightFile
TextualInversion read_textual_inversion(const std::string& name, const std::string& path, const Bundle& bundle);

/// A stretch of a prompt: plain text, or a name that stands for vectors.
struct NamedStretch {
    std::string_view text;
    const TextualInversion* inversion = nullptr;
};

/// Cuts `text` at the names, where they stand as whole words; "embedding:" before a name belongs to it. Of names that begin at one place
/// the longest counts.
std::vector<NamedStretch> split_at_names(std::string_view text, const std::vector<TextualInversion>& inversions);

}  // namespace lcm
