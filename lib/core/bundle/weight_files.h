#pragma once

#include <string>
#include <vector>

namespace lcm {

/// The safetensors files that hold the weights of the part in `folder`, as paths in name order.
///
/// `diffusion_pytorch_model.safetensors` (diffusers), else `model.safetensors` (transformers), else the shards of either's
/// `.safetensors.index.json`, else the only safetensors file of the folder (`*.fp16.safetensors`).
/// @throws Error(no_input) when there is none; Error(refused) when there are pickles instead; Error(data) when several could be meant
std::vector<std::string> find_weight_files(const std::string& folder);

}  // namespace lcm
