#pragma once

#include <string>

#include "lib/core/weights/weight_set.h"
#include "tests/golden/golden_case.h"

namespace lcm::golden {

/// The network of a part's folder under testdata/golden ("models/sd15/unet"), built by `make(config, weights)`.
/// @throws Error when a tensor of the file is not used
template <typename Make>
auto build(const std::string& part, const WeightSet::KeyMap& map, const Make& make) {
    const std::string path = folder() + "/" + part;
    const bool text = part.find("text_encoder") != std::string::npos;
    WeightSet weights({WeightFile(path + (text ? "/model.safetensors" : "/diffusion_pytorch_model.safetensors"))}, at::kFloat, map);
    auto network = make(read_json_file(path + "/config.json"), weights);
    weights.expect_all_used();
    return network;
}

}  // namespace lcm::golden
