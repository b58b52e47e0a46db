#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "lib/core/nn/weight_source.h"

namespace lcm {

/// Side of the pictures that EfficientNet-Lite0 reads, and the length of the vector it makes of one.
inline constexpr std::int64_t efficientnet_size = 224, efficientnet_features = 1280;

/// EfficientNet-Lite0 without its classifier: what is in a picture, as numbers. No squeeze-and-excite, ReLU6, TensorFlow's "same" padding.
class EfficientNetLite {
public:
    explicit EfficientNetLite(nn::WeightSource& weights);
    ~EfficientNetLite();
    EfficientNetLite(EfficientNetLite&&) noexcept;

    /// @param pixels  [B,3,H,W], normalized with `imagenet_statistics`. @return [B,1280,H/32,W/32], sizes rounded up. @throws Error(data)
    at::Tensor features(const at::Tensor& pixels) const;

    /// The mean of `features` over the picture, [B,1280].
    at::Tensor pooled(const at::Tensor& pixels) const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

/// The name that the network asks for: empty for the classifier and for counters of training.
std::string efficientnet_key(const std::string& name);

}  // namespace lcm
