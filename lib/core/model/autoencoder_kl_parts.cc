#include "lib/core/model/autoencoder_kl_parts.h"

#include <utility>

#include "lib/core/model/vae.h"

namespace lcm {
namespace {

constexpr double norm_eps = 1e-6;

ResnetShape resnet_shape(const AutoencoderShape& shape, std::int64_t in, std::int64_t out) {
    return {.in = in, .out = out, .groups = shape.groups, .eps = norm_eps};
}

std::vector<ResnetBlock> resnets(const nn::Scope& weights, const AutoencoderShape& shape, const nn::ConvShape& widths, std::int64_t count) {
    std::vector<ResnetBlock> blocks;
    for (std::int64_t i = 0; i < count; ++i)
        blocks.emplace_back(weights / i, resnet_shape(shape, i == 0 ? widths.in : widths.out, widths.out));
    return blocks;
}

std::vector<AutoencoderLevel<nn::Conv2d>> encoder_levels(const nn::Scope& weights, const AutoencoderShape& shape) {
    std::vector<AutoencoderLevel<nn::Conv2d>> levels(shape.widths.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const std::int64_t in = shape.widths[i == 0 ? 0 : i - 1], out = shape.widths[i];
        levels[i].resnets = resnets(weights / i / "resnets", shape, {.in = in, .out = out}, shape.layers);
        if (i + 1 == levels.size()) break;
        levels[i].resample.emplace(weights / i / "downsamplers.0.conv", nn::ConvShape{.in = out, .out = out, .stride = 2, .padding = 0});
    }
    return levels;
}

std::vector<AutoencoderLevel<nn::UpsampleConv>> decoder_levels(const nn::Scope& weights, const AutoencoderShape& shape) {
    std::vector<AutoencoderLevel<nn::UpsampleConv>> levels(shape.widths.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const std::size_t level = levels.size() - 1 - i;
        const std::int64_t in = shape.widths[i == 0 ? level : level + 1], out = shape.widths[level];
        levels[i].resnets = resnets(weights / i / "resnets", shape, {.in = in, .out = out}, shape.layers + 1);
        if (level == 0) break;
        levels[i].resample.emplace(weights / i / "upsamplers.0.conv", out, out);
    }
    return levels;
}

}  // namespace

PixelAttention::PixelAttention(const nn::Scope& weights, std::int64_t channels, std::int64_t groups)
    : group_norm_(weights / "group_norm", groups, channels, norm_eps),
      to_q_(weights / "to_q", channels, channels),
      to_k_(weights / "to_k", channels, channels),
      to_v_(weights / "to_v", channels, channels),
      to_out_(weights / "to_out.0", channels, channels) {}

at::Tensor PixelAttention::operator()(const at::Tensor& x) const {
    const at::Tensor tokens = nn::to_tokens(group_norm_(x));
    const at::Tensor mixed = nn::attention(to_q_(tokens), to_k_(tokens), to_v_(tokens), /*heads=*/1);
    return nn::to_picture(to_out_(mixed, nn::adding(nn::to_tokens(x))), x.size(2), x.size(3));
}

AutoencoderMidBlock::AutoencoderMidBlock(const nn::Scope& weights, const AutoencoderShape& shape)
    : first_(weights / "resnets.0", resnet_shape(shape, shape.widths.back(), shape.widths.back())),
      second_(weights / "resnets.1", resnet_shape(shape, shape.widths.back(), shape.widths.back())) {
    if (shape.attention) attention_.emplace(weights / "attentions.0", shape.widths.back(), shape.groups);
}

at::Tensor AutoencoderMidBlock::operator()(const at::Tensor& x) const {
    at::Tensor hidden = first_(x);
    if (attention_) hidden = (*attention_)(hidden);
    return second_(std::move(hidden));
}

AutoencoderEncoder::AutoencoderEncoder(const nn::Scope& weights, const AutoencoderShape& shape)
    : conv_in_(weights / "conv_in", {.in = pixel_channels, .out = shape.widths.front()}),
      levels_(encoder_levels(weights / "down_blocks", shape)),
      mid_(weights / "mid_block", shape),
      conv_norm_out_(weights / "conv_norm_out", shape.groups, shape.widths.back(), norm_eps),
      conv_out_(weights / "conv_out", {.in = shape.widths.back(), .out = 2 * shape.latent_channels}) {}

at::Tensor AutoencoderEncoder::operator()(at::Tensor x) const {
    x = conv_in_(x);
    for (const AutoencoderLevel<nn::Conv2d>& level : levels_) {
        for (const ResnetBlock& resnet : level.resnets) x = resnet(std::move(x));
        if (level.resample) x = (*level.resample)(nn::pad_bottom_right(x));
    }
    return nn::norm_silu_conv(conv_norm_out_, conv_out_, mid_(x));
}

AutoencoderDecoder::AutoencoderDecoder(const nn::Scope& weights, const AutoencoderShape& shape)
    : conv_in_(weights / "conv_in", {.in = shape.latent_channels, .out = shape.widths.back()}),
      mid_(weights / "mid_block", shape),
      levels_(decoder_levels(weights / "up_blocks", shape)),
      conv_norm_out_(weights / "conv_norm_out", shape.groups, shape.widths.front(), norm_eps),
      conv_out_(weights / "conv_out", {.in = shape.widths.front(), .out = pixel_channels}) {}

at::Tensor AutoencoderDecoder::operator()(at::Tensor x) const {
    x = mid_(conv_in_(x));
    for (const AutoencoderLevel<nn::UpsampleConv>& level : levels_) {
        for (const ResnetBlock& resnet : level.resnets) x = resnet(std::move(x));
        if (level.resample) x = (*level.resample)(x, 2 * x.size(2), 2 * x.size(3));
    }
    return nn::norm_silu_conv(conv_norm_out_, conv_out_, x);
}

}  // namespace lcm
