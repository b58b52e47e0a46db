#include "lib/core/model/resnet_block.h"

#include <utility>

#include "lib/core/tensor/threads.h"

namespace lcm {

ResnetBlock::ResnetBlock(const nn::Scope& weights, const ResnetShape& shape)
    : norm1_(weights / "norm1", shape.groups, shape.in, shape.eps),
      norm2_(weights / "norm2", shape.groups, shape.out, shape.eps),
      conv1_(weights / "conv1", {.in = shape.in, .out = shape.out}),
      conv2_(weights / "conv2", {.in = shape.out, .out = shape.out}) {
    if (shape.time_width > 0) time_emb_proj_.emplace(weights / "time_emb_proj", shape.time_width, shape.out);
    if (shape.in != shape.out)
        conv_shortcut_.emplace(weights / "conv_shortcut", nn::ConvShape{.in = shape.in, .out = shape.out, .kernel = 1, .padding = 0});
}

at::Tensor ResnetBlock::operator()(at::Tensor x, const at::Tensor& time) const {
    share_cores();
    nn::Epilogue add_time;
    if (time_emb_proj_) add_time.channel = (*time_emb_proj_)(time);
    const at::Tensor hidden = nn::norm_silu_conv(norm1_, conv1_, x, add_time);
    if (conv_shortcut_) x = conv_shortcut_->replacing(std::move(x));
    return nn::norm_silu_conv(norm2_, conv2_, hidden, nn::adding(std::move(x)));
}

}  // namespace lcm
