#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/core/model/resnet_block.h"
#include "lib/core/model/transformer_block.h"

namespace lcm {

/// What every block of a UNet is given beside its pixels.
struct Conditions {
    at::Tensor time;                ///< [B,time_width], after its SiLU
    Context context;
    ExtraContext* extra = nullptr;  ///< further keys and values for the cross-attentions; null: none
    TokenMergeShape merging = {};   ///< of tokens in self-attentions
};

/// Channels, depth and parts of a down or up block.
struct UNetBlockShape {
    std::int64_t in = 0, out = 0;
    std::int64_t skip_in = 0;  ///< width of the skip that an up block's last layer takes; the others' is `out`
    std::int64_t layers = 1;
    std::int64_t time_width = 0, groups = 32;
    double eps = 1e-5;
    std::optional<TransformerShape> attention;  ///< a Transformer2D after each resnet; absent: none
    bool resample = false;                      ///< halve (down) or double (up) the size at the end
};

/// DownBlock2D and CrossAttnDownBlock2D.
class DownBlock {
public:
    DownBlock(const nn::Scope& weights, const UNetBlockShape& shape);

    /// @param skips  receives the result of every layer and of the downsampler
    /// @param state  a T2I-Adapter's for this block, added behind the last layer; behind the downsampler in a block without attention
    at::Tensor operator()(at::Tensor x, const Conditions& conditions, std::vector<at::Tensor>& skips, const at::Tensor& state = {}) const;

    /// The same without the downsampler.
    at::Tensor layers(at::Tensor x, const Conditions& conditions, std::vector<at::Tensor>& skips, const at::Tensor& state = {}) const;

private:
    std::vector<ResnetBlock> resnets_;
    std::vector<Transformer2D> attentions_;
    std::optional<nn::Conv2d> downsampler_;
};

/// UNetMidBlock2DCrossAttn, and UNetMidBlock2D (one resnet) where `attention` is absent.
class MidBlock {
public:
    MidBlock(const nn::Scope& weights, const UNetBlockShape& shape);
    at::Tensor operator()(at::Tensor x, const Conditions& conditions) const;

private:
    std::vector<ResnetBlock> resnets_;
    std::optional<Transformer2D> attention_;
};

/// UpBlock2D and CrossAttnUpBlock2D.
class UpBlock {
public:
    UpBlock(const nn::Scope& weights, const UNetBlockShape& shape);

    /// @param skips  gives one tensor to every layer, from its end; its size decides the size of the upsampled result
    at::Tensor operator()(at::Tensor x, const Conditions& conditions, std::vector<at::Tensor>& skips) const;

    /// How many cross-attentions it has.
    std::size_t cross_attentions() const;

private:
    std::vector<ResnetBlock> resnets_;
    std::vector<Transformer2D> attentions_;
    std::optional<nn::UpsampleConv> upsampler_;
};

}  // namespace lcm
