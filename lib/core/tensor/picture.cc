#include "lib/core/tensor/picture.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>

namespace lcm {

at::Tensor to_torch(const FloatImage& image) {
    return at::tensor(at::ArrayRef<float>(image.values)).view({1, image.channels, image.height, image.width});
}

Image to_image(const at::Tensor& pixels) {
    const at::Tensor planes = pixels.dim() == 4 ? pixels.squeeze(0) : pixels;
    const at::Tensor bytes = at::round(at::clamp(planes * 0.5 + 0.5, 0.0, 1.0) * 255.0).to(at::kByte).permute({1, 2, 0}).contiguous();
    Image image{static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(2)), {}};
    const auto* data = bytes.const_data_ptr<std::uint8_t>();
    image.pixels.assign(data, data + bytes.numel());
    return image;
}

}  // namespace lcm
