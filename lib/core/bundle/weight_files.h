#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/core/weights/weight_file.h"

namespace lcm {

/// How the list of a sharded part's files ends: `diffusion_pytorch_model.safetensors.index.json`.
inline constexpr std::string_view weight_index_ending = ".safetensors.index.json";

/// The safetensors files that hold the weights of the part in `folder`, as paths in name order.
///
/// `diffusion_pytorch_model.safetensors` (diffusers), else `model.safetensors` (transformers), else the shards of either's
/// `.safetensors.index.json`, else the only safetensors file of the folder (`*.fp16.safetensors`).
/// @param variant  the same of the files whose names have this word behind the stem ("fp16"); empty: the usual names
/// @throws Error(no_input) when there is none; Error(refused) when there are pickles instead; Error(data) when several could be meant
std::vector<std::string> find_weight_files(const std::string& folder, const std::string& variant = {});

/// Checks an index against the shards it names, both ways: each tensor of the index stands in its file, each tensor of a file in the
/// index. Nothing happens without an index. @throws Error(data) naming index, file and tensor
void expect_index_agrees(const std::string& folder, const std::string& variant, const std::vector<WeightFile>& files);

/// The usual name of a weight file that names its precision: "model.fp16.safetensors" becomes "model.safetensors"; others stay.
std::string usual_weight_name(const std::string& name);

}  // namespace lcm
