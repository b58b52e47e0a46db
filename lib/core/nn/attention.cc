#include <ATen/ops/scaled_dot_product_attention.h>

#include "lib/core/nn/attention_kernel.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {
namespace {

/// [B,T,H*d] -> [B,H,T,d], a view.
at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
    return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads, bool causal) {
    if (!causal && takes_attention_kernel(q, k, v, heads)) return attention_kernel(q, k, v, heads);
    const at::Tensor mixed = at::scaled_dot_product_attention(split_heads(q, heads), split_heads(k, heads), split_heads(v, heads),
                                                              /*attn_mask=*/{}, /*dropout_p=*/0.0, causal);
    return mixed.transpose(1, 2).reshape(q.sizes());
}

}  // namespace lcm::nn
