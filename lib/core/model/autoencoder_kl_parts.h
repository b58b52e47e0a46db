#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/core/model/resnet_block.h"
#include "lib/core/nn/layers.h"

namespace lcm {

/// Sizes of an AutoencoderKL.
struct AutoencoderShape {
    std::vector<std::int64_t> widths;  ///< a level each, from the full size; every level but the last halves it
    std::int64_t latent_channels = 4;
    std::int64_t layers = 1;  ///< resnets a level of the encoder; the decoder has one more
    std::int64_t groups = 32;
    bool attention = true;  ///< in the middle blocks
};

/// Self-attention over the pixels, one head, plus the input; keys `group_norm`, `to_q`, `to_k`, `to_v`, `to_out.0`.
class PixelAttention {
public:
    PixelAttention(const nn::Scope& weights, std::int64_t channels, std::int64_t groups);
    at::Tensor operator()(const at::Tensor& x) const;

private:
    nn::GroupNorm group_norm_;
    nn::Linear to_q_, to_k_, to_v_, to_out_;
};

/// UNetMidBlock2D of a VAE: resnet, attention, resnet.
class AutoencoderMidBlock {
public:
    AutoencoderMidBlock(const nn::Scope& weights, const AutoencoderShape& shape);
    at::Tensor operator()(const at::Tensor& x) const;

private:
    ResnetBlock first_, second_;
    std::optional<PixelAttention> attention_;
};

/// Resnets of one level, and what changes the size after them, where anything does.
template <typename Resample>
struct AutoencoderLevel {
    std::vector<ResnetBlock> resnets;
    std::optional<Resample> resample;
};

/// Pixels [B,3,H,W] to moments [B,2*latent_channels,h,w].
class AutoencoderEncoder {
public:
    AutoencoderEncoder(const nn::Scope& weights, const AutoencoderShape& shape);
    at::Tensor operator()(at::Tensor x) const;

private:
    nn::Conv2d conv_in_;
    std::vector<AutoencoderLevel<nn::Conv2d>> levels_;
    AutoencoderMidBlock mid_;
    nn::GroupNorm conv_norm_out_;
    nn::Conv2d conv_out_;
};

/// Latents [B,latent_channels,h,w] to pixels [B,3,H,W].
class AutoencoderDecoder {
public:
    AutoencoderDecoder(const nn::Scope& weights, const AutoencoderShape& shape);
    at::Tensor operator()(at::Tensor x) const;

private:
    nn::Conv2d conv_in_;
    AutoencoderMidBlock mid_;
    std::vector<AutoencoderLevel<nn::UpsampleConv>> levels_;
    nn::GroupNorm conv_norm_out_;
    nn::Conv2d conv_out_;
};

}  // namespace lcm
