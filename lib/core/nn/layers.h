#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "lib/core/nn/weight_source.h"

/// The layers networks are made of, in fused verbs. Pictures are [B,C,H,W] in channels-last memory (NHWC), tokens [B,T,D].
/// Every layer can be differentiated by autograd in its inputs and its parameters.
namespace lcm::nn {

class PackedLinear;
class PackedGeglu;
class PackedConv2d;
class PackedUpsampleConv;
class GroupNorm;

/// Functions applied to each number behind a product or a norm.
enum class Activation { none, silu, gelu, quick_gelu, relu, tanh };

/// Applies an activation alone; the bytes do not depend on the number of threads. gelu is the exact (erf) form; quick_gelu is
/// x * sigmoid(1.702 x).
at::Tensor activate(const at::Tensor& x, Activation activation);

/// What a product does with its result before it leaves: act(product + bias + channel) + residual.
struct Epilogue {
    Activation activation = Activation::none;
    at::Tensor channel;   ///< [B,C], added to every pixel or token (a time embedding); undefined: none
    at::Tensor residual;  ///< shape of the result; undefined: none
    bool residual_is_free = false;  ///< nobody reads it again, nor is it the input: the result may lie in its memory
};

/// Whether nothing else refers to the memory of `x`.
bool is_only(const at::Tensor& x);

/// Adds `residual`, in whose memory the result may lie where the caller gives away the only one; undefined: adds nothing.
Epilogue adding(at::Tensor residual);

/// y = x W^T + b on the last dimension; keys `weight` [out,in] and `bias` [out].
class Linear {
public:
    Linear(const Scope& weights, std::int64_t in, std::int64_t out, bool bias = true);
    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue = {}) const;

private:
    at::Tensor weight_, bias_;
    LowRank branch_;
    std::shared_ptr<const Product> product_;      ///< instead of all other members where the source has one
    std::shared_ptr<const PackedLinear> packed_;  ///< instead of the weight where the source lets it be reordered
};

/// Channels, a square kernel, the same stride and zero padding on all sides.
struct ConvShape {
    std::int64_t in = 0, out = 0;
    std::int64_t kernel = 3, stride = 1, padding = 1;
    bool bias = true;
};

/// 2-D convolution; keys `weight` [out,in,k,k] and `bias` [out]. A weight that lies channels-last already is held as it is, so that a
/// trainer's updates of it show; any other is copied once.
class Conv2d {
public:
    Conv2d(const Scope& weights, const ConvShape& shape);
    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue = {}) const;
    /// The same of an `x` that the caller gives away: where a large picture becomes one of fewer channels pixel by pixel, in its memory, so
    /// that the two never lie side by side.
    at::Tensor replacing(at::Tensor x) const;

private:
    bool can_replace(const at::Tensor& x) const;

    friend at::Tensor norm_silu_conv(const GroupNorm& norm, const Conv2d& conv, const at::Tensor& x, const Epilogue& epilogue);

    ConvShape shape_;
    at::Tensor weight_, bias_;
    LowRank branch_;
    std::shared_ptr<const Product> product_;
    std::shared_ptr<const PackedConv2d> packed_;
};

/// Nearest-neighbour upsampling, then a 3x3 convolution; keys `weight` [out,in,3,3] and `bias` [out].
///
/// Where the size doubles, the taps that meet the same small pixel are summed up beforehand (in f32): windows of 2x2 pixels of the small
/// picture give each of the four results, 4/9 of the products and no large picture between.
class UpsampleConv {
public:
    UpsampleConv(const Scope& weights, std::int64_t in, std::int64_t out);
    /// @param x [B,in,H,W]. @return [B,out,height,width]
    at::Tensor operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const;

private:
    Conv2d conv_;
    std::shared_ptr<const PackedUpsampleConv> doubling_;
};

/// Group norm over channels; keys `weight`, `bias` [C].
class GroupNorm {
public:
    GroupNorm(const Scope& weights, std::int64_t groups, std::int64_t channels, double eps);
    at::Tensor operator()(const at::Tensor& x) const;
    /// Norm and SiLU in one pass over memory.
    at::Tensor norm_silu(const at::Tensor& x) const;

private:
    friend at::Tensor norm_silu_conv(const GroupNorm& norm, const Conv2d& conv, const at::Tensor& x, const Epilogue& epilogue);
    at::Tensor apply(const at::Tensor& x, bool silu) const;

    std::int64_t groups_;
    double eps_;
    at::Tensor weight_, bias_;
};

/// conv(silu(norm(x))) with every epilogue, for a 3x3 convolution that keeps the size. A large picture is taken in bands of rows, so that
/// what lies between the norm and the product never takes the memory of a picture.
at::Tensor norm_silu_conv(const GroupNorm& norm, const Conv2d& conv, const at::Tensor& x, const Epilogue& epilogue = {});

/// Layer norm over the last dimension; keys `weight`, `bias` [D].
class LayerNorm {
public:
    LayerNorm(const Scope& weights, std::int64_t width, double eps);
    at::Tensor operator()(const at::Tensor& x) const;

private:
    std::int64_t width_;
    double eps_;
    at::Tensor weight_, bias_;
};

/// a * gelu(b) with [a | b] = x W^T + b; key `proj`.
class Geglu {
public:
    Geglu(const Scope& weights, std::int64_t in, std::int64_t out);
    at::Tensor operator()(const at::Tensor& x) const;

private:
    std::optional<Linear> proj_;
    std::shared_ptr<const Product> product_;     ///< instead of it
    std::shared_ptr<const PackedGeglu> packed_;  ///< instead of both
};

/// softmax(q k^T / sqrt(head size)) v for q [B,T,H*d], k and v [B,S,H*d]; result [B,T,H*d]. `causal` masks later tokens.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads, bool causal = false);

/// Nearest-neighbour upsampling of [B,C,H,W] to `height` x `width`.
at::Tensor upsample_nearest(const at::Tensor& x, std::int64_t height, std::int64_t width);

/// A row of zeros below and a column at the right: what a VAE's encoder puts before its stride-2 convolutions.
at::Tensor pad_bottom_right(const at::Tensor& x);

/// Channels of `a` and then of `b`, [B,C1+C2,H,W].
at::Tensor concat_channels(const at::Tensor& a, const at::Tensor& b);

/// [B,C,H,W] in channels-last memory; the same tensor when it lies so already.
at::Tensor channels_last(const at::Tensor& x);

/// Pixels as tokens: [B,C,H,W] -> [B,H*W,C], a view of channels-last memory.
at::Tensor to_tokens(const at::Tensor& x);

/// Tokens as pixels: [B,H*W,C] -> [B,C,H,W], a view in channels-last memory.
at::Tensor to_picture(const at::Tensor& tokens, std::int64_t height, std::int64_t width);

}  // namespace lcm::nn
