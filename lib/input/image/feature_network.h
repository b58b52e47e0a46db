#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "lib/image/image.h"

namespace lcm {

/// A network that makes one vector of a picture (`image.features`).
class FeatureNetwork {
public:
    virtual ~FeatureNetwork() = default;
    /// @param picture  of three channels. @return [1,D] in f32
    virtual at::Tensor operator()(const Image& picture) const = 0;
};

/// EfficientNet-Lite0 from its weight file: 1280 numbers, the means over the picture.
/// @throws Error(no_input), Error(data) naming file and tensor
std::unique_ptr<FeatureNetwork> open_efficientnet(const std::string& file, at::Device device = at::kCPU);

/// A CLIP vision model's folder (`config.json`, `preprocessor_config.json`, weights): the vector that IP-Adapters read.
/// @param pack_cache  keep the packed weights of a large one in the user's cache (`pack_cache.h`)
/// @throws Error(no_input), Error(data) naming file and tensor or key
std::unique_ptr<FeatureNetwork> open_image_encoder(const std::string& folder, at::Device device = at::kCPU, bool pack_cache = false);

}  // namespace lcm
