#include "lib/core/model/unet_blocks.h"

#include <ATen/TensorOperators.h>

namespace lcm {
namespace {

ResnetShape resnet_shape(const UNetBlockShape& block, std::int64_t in) {
    return {.in = in, .out = block.out, .groups = block.groups, .eps = block.eps, .time_width = block.time_width};
}

}  // namespace

DownBlock::DownBlock(const nn::Scope& weights, const UNetBlockShape& shape) {
    for (std::int64_t i = 0; i < shape.layers; ++i) {
        resnets_.emplace_back(weights / "resnets" / i, resnet_shape(shape, i == 0 ? shape.in : shape.out));
        if (shape.attention) attentions_.emplace_back(weights / "attentions" / i, *shape.attention);
    }
    if (shape.resample)
        downsampler_.emplace(weights / "downsamplers.0.conv", nn::ConvShape{.in = shape.out, .out = shape.out, .stride = 2});
}

at::Tensor DownBlock::layers(at::Tensor x, const Conditions& conditions, std::vector<at::Tensor>& skips, const at::Tensor& state) const {
    const bool inside = state.defined() && !attentions_.empty();
    for (std::size_t i = 0; i < resnets_.size(); ++i) {
        x = resnets_[i](x, conditions.time);
        if (!attentions_.empty()) x = attentions_[i](std::move(x), conditions.context, conditions.extra, conditions.merging);
        if (inside && i + 1 == resnets_.size()) x = x + state;
        skips.push_back(x);
    }
    return x;
}

at::Tensor DownBlock::operator()(at::Tensor x, const Conditions& conditions, std::vector<at::Tensor>& skips,
                                 const at::Tensor& state) const {
    x = layers(std::move(x), conditions, skips, state);
    if (downsampler_) skips.push_back(x = (*downsampler_)(x));
    if (state.defined() && attentions_.empty()) skips.back() = x = x + state;
    return x;
}

MidBlock::MidBlock(const nn::Scope& weights, const UNetBlockShape& shape) {
    resnets_.emplace_back(weights / "resnets.0", resnet_shape(shape, shape.in));
    if (!shape.attention) return;
    attention_.emplace(weights / "attentions.0", *shape.attention);
    resnets_.emplace_back(weights / "resnets.1", resnet_shape(shape, shape.out));
}

at::Tensor MidBlock::operator()(at::Tensor x, const Conditions& conditions) const {
    x = resnets_.front()(x, conditions.time);
    if (!attention_) return x;
    return resnets_.back()((*attention_)(std::move(x), conditions.context, conditions.extra, conditions.merging), conditions.time);
}

std::size_t UpBlock::cross_attentions() const {
    std::size_t count = 0;
    for (const Transformer2D& attention : attentions_) count += attention.depth();
    return count;
}

UpBlock::UpBlock(const nn::Scope& weights, const UNetBlockShape& shape) {
    for (std::int64_t i = 0; i < shape.layers; ++i) {
        const std::int64_t skip = i == shape.layers - 1 ? shape.skip_in : shape.out;
        resnets_.emplace_back(weights / "resnets" / i, resnet_shape(shape, (i == 0 ? shape.in : shape.out) + skip));
        if (shape.attention) attentions_.emplace_back(weights / "attentions" / i, *shape.attention);
    }
    if (shape.resample) upsampler_.emplace(weights / "upsamplers.0.conv", shape.out, shape.out);
}

at::Tensor UpBlock::operator()(at::Tensor x, const Conditions& conditions, std::vector<at::Tensor>& skips) const {
    for (std::size_t i = 0; i < resnets_.size(); ++i) {
        x = resnets_[i](nn::concat_channels(x, skips.back()), conditions.time);
        skips.pop_back();
        if (!attentions_.empty()) x = attentions_[i](std::move(x), conditions.context, conditions.extra, conditions.merging);
    }
    if (!upsampler_) return x;
    return (*upsampler_)(x, skips.back().size(2), skips.back().size(3));
}

}  // namespace lcm
