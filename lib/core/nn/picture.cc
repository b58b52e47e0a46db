#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/upsample_nearest2d.h>

#include "lib/core/nn/layers.h"

namespace lcm::nn {

at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height, std::int64_t width) {
    return at::upsample_nearest2d(x, {height, width});
}

at::Tensor pad_bottom_right(const at::Tensor& x) { return at::constant_pad_nd(x, {0, 1, 0, 1}); }

at::Tensor concat_channels(const at::Tensor& a, const at::Tensor& b) { return at::cat({a, b}, 1); }

at::Tensor channels_last(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

at::Tensor to_tokens(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).reshape({x.size(0), x.size(2) * x.size(3), x.size(1)}); }

at::Tensor to_picture(const at::Tensor& tokens, std::int64_t height, std::int64_t width) {
    return tokens.view({tokens.size(0), height, width, tokens.size(2)}).permute({0, 3, 1, 2});
}

}  // namespace lcm::nn
