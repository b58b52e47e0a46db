#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <vector>

#include "lib/core/model/token_merge.h"
#include "lib/core/nn/layers.h"

namespace lcm {

/// Widths, heads and depth of a Transformer2D.
struct TransformerShape {
    std::int64_t channels = 0, heads = 0, context_width = 0;
    std::int64_t layers = 1;  ///< transformer blocks in a row
    std::int64_t groups = 32;
};

/// Keys and values [B,S,channels] of tokens that a cross-attention looks at apart from its context.
struct KeyValue {
    at::Tensor key, value;
};

/// Keys and values that the cross-attentions of a network have made of one context, which does not change while a picture is drawn.
class ContextCache {
public:
    /// What `layer` has made of `context`; it makes it at the first call.
    template <typename Make>
    const KeyValue& of(const void* layer, const Make& make) {
        const auto [place, is_new] = made_.try_emplace(layer);
        if (is_new) place->second = make();
        return place->second;
    }

private:
    std::map<const void*, KeyValue> made_;
};

/// What a cross-attention looks at.
struct Context {
    at::Tensor tokens;              ///< [B,S,context_width]
    ContextCache* cache = nullptr;  ///< of these tokens; null: keys and values are made at each call
};

/// Hands each cross-attention of a network its further keys and values, in the order in which they run.
class ExtraContext {
public:
    /// @param list  outlives this; empty: none for any
    explicit ExtraContext(const std::vector<KeyValue>& list) : list_(list) {}
    const KeyValue* next() { return list_.empty() ? nullptr : &list_.at(next_++); }
    /// Leaves out all but the last `count`.
    void skip_to_last(std::size_t count) { next_ = list_.empty() ? 0 : list_.size() - count; }

private:
    const std::vector<KeyValue>& list_;
    std::size_t next_ = 0;
};

/// Multi-head attention of tokens over a context; keys `to_q`, `to_k`, `to_v` (no bias), `to_out.0`.
class CrossAttention {
public:
    CrossAttention(const nn::Scope& weights, std::int64_t width, std::int64_t context_width, std::int64_t heads);

    /// `x` [B,T,width] over `context`, and over `extra` where there is one; plus `residual` [B,T,width] or undefined, whose memory is used
    /// again where nobody else holds it.
    at::Tensor operator()(const at::Tensor& x, const Context& context, at::Tensor residual, const KeyValue* extra = nullptr) const;

private:
    KeyValue keys_and_values(const Context& context) const;

    std::int64_t heads_;
    nn::Linear to_q_, to_k_, to_v_, to_out_;
};

/// BasicTransformerBlock of diffusers: self-attention, cross-attention and a gated feed-forward, each behind a layer norm.
class TransformerBlock {
public:
    TransformerBlock(const nn::Scope& weights, const TransformerShape& shape);

    /// @param x [B,T,channels], whose memory is used again where nobody else holds it; @param extra  for the cross-attention; null: none
    /// @param merging  of the self-attention's tokens; null: none
    at::Tensor operator()(at::Tensor x, const Context& context, const KeyValue* extra = nullptr,
                          const TokenMergeShape* merging = nullptr) const;

private:
    at::Tensor attend_merged(const at::Tensor& x, const at::Tensor& normed, const TokenMergeShape& merging) const;

    nn::LayerNorm norm1_, norm2_, norm3_;
    CrossAttention attn1_, attn2_;
    nn::Geglu geglu_;
    nn::Linear feed_forward_out_;
};

/// Transformer2DModel of diffusers: group norm, projection, transformer blocks over the pixels, projection, plus the input.
/// The projections are linear layers or 1x1 convolutions in the file: the same product.
class Transformer2D {
public:
    Transformer2D(const nn::Scope& weights, const TransformerShape& shape);

    /// @param x [B,channels,H,W], whose memory is used again where nobody else holds it; @param extra  is asked once a block; null: none
    /// @param merging  holds where pixels are as many as it says
    at::Tensor operator()(at::Tensor x, const Context& context, ExtraContext* extra = nullptr,
                          const TokenMergeShape& merging = {}) const;

    /// Cross-attentions, one a block.
    std::size_t depth() const { return blocks_.size(); }

private:
    nn::GroupNorm norm_;
    nn::Linear proj_in_, proj_out_;
    std::vector<TransformerBlock> blocks_;
};

}  // namespace lcm
