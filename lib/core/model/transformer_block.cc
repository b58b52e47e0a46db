#include "lib/core/model/transformer_block.h"

#include <ATen/TensorOperators.h>

#include <utility>

namespace lcm {
namespace {

constexpr double layer_norm_eps = 1e-5;
constexpr double group_norm_eps = 1e-6;  // fixed here, whatever the UNet's norm_eps
constexpr std::int64_t feed_forward_factor = 4;

}  // namespace

CrossAttention::CrossAttention(const nn::Scope& weights, std::int64_t width, std::int64_t context_width, std::int64_t heads)
    : heads_(heads),
      to_q_(weights / "to_q", width, width, /*bias=*/false),
      to_k_(weights / "to_k", context_width, width, /*bias=*/false),
      to_v_(weights / "to_v", context_width, width, /*bias=*/false),
      to_out_(weights / "to_out.0", width, width) {}

KeyValue CrossAttention::keys_and_values(const Context& context) const {
    const auto make = [&] { return KeyValue{to_k_(context.tokens), to_v_(context.tokens)}; };
    return context.cache ? context.cache->of(this, make) : make();
}

at::Tensor CrossAttention::operator()(const at::Tensor& x, const Context& context, at::Tensor residual, const KeyValue* extra) const {
    const at::Tensor query = to_q_(x);
    const auto [key, value] = keys_and_values(context);
    at::Tensor mixed = nn::attention(query, key, value, heads_);
    if (extra) mixed = mixed + nn::attention(query, extra->key, extra->value, heads_);
    return to_out_(mixed, nn::adding(std::move(residual)));
}

TransformerBlock::TransformerBlock(const nn::Scope& weights, const TransformerShape& shape)
    : norm1_(weights / "norm1", shape.channels, layer_norm_eps),
      norm2_(weights / "norm2", shape.channels, layer_norm_eps),
      norm3_(weights / "norm3", shape.channels, layer_norm_eps),
      attn1_(weights / "attn1", shape.channels, shape.channels, shape.heads),
      attn2_(weights / "attn2", shape.channels, shape.context_width, shape.heads),
      geglu_(weights / "ff.net.0", shape.channels, feed_forward_factor * shape.channels),
      feed_forward_out_(weights / "ff.net.2", feed_forward_factor * shape.channels, shape.channels) {}

at::Tensor TransformerBlock::attend_merged(const at::Tensor& x, const at::Tensor& normed, const TokenMergeShape& merging) const {
    const TokenMerge tokens(x, merging);
    const at::Tensor fewer = tokens.merge(normed);
    return x + tokens.spread(attn1_(fewer, {.tokens = fewer}, {}));
}

at::Tensor TransformerBlock::operator()(at::Tensor x, const Context& context, const KeyValue* extra, const TokenMergeShape* merging) const {
    at::Tensor normed = norm1_(x);
    x = merging ? attend_merged(x, normed, *merging) : attn1_(normed, {.tokens = normed}, std::move(x));
    normed = norm2_(x);
    x = attn2_(normed, context, std::move(x), extra);
    normed = norm3_(x);
    return feed_forward_out_(geglu_(normed), nn::adding(std::move(x)));
}

Transformer2D::Transformer2D(const nn::Scope& weights, const TransformerShape& shape)
    : norm_(weights / "norm", shape.groups, shape.channels, group_norm_eps),
      proj_in_(weights / "proj_in", shape.channels, shape.channels),
      proj_out_(weights / "proj_out", shape.channels, shape.channels) {
    for (std::int64_t i = 0; i < shape.layers; ++i) blocks_.emplace_back(weights / "transformer_blocks" / i, shape);
}

at::Tensor Transformer2D::operator()(at::Tensor x, const Context& context, ExtraContext* extra, const TokenMergeShape& merging) const {
    const std::int64_t height = x.size(2), width = x.size(3);
    const TokenMergeShape* here = merging.ratio > 0 && height == merging.height && width == merging.width ? &merging : nullptr;
    at::Tensor tokens = proj_in_(nn::to_tokens(norm_(x)));
    x = nn::to_tokens(x);
    for (const TransformerBlock& block : blocks_) tokens = block(std::move(tokens), context, extra ? extra->next() : nullptr, here);
    return nn::to_picture(proj_out_(tokens, nn::adding(std::move(x))), height, width);
}

}  // namespace lcm
