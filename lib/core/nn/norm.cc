#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>

#include "lib/core/nn/gpu_kernels.h"
#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {

GroupNorm::GroupNorm(const Scope& weights, std::int64_t groups, std::int64_t channels, double eps)
    : groups_(groups), eps_(eps), weight_(weights.take("weight", {channels})), bias_(weights.take("bias", {channels})) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const { return apply(x, false); }
at::Tensor GroupNorm::norm_silu(const at::Tensor& x) const { return apply(x, true); }

at::Tensor GroupNorm::apply(const at::Tensor& x, bool silu) const {
    if (takes_group_norm_kernel(x)) return group_norm_kernel(x, {groups_, eps_, weight_, bias_, silu});
    if (takes_gpu_kernels(x)) return gpu_group_norm(x, {groups_, eps_, weight_, bias_, silu});
    at::Tensor normed = at::group_norm(x, groups_, weight_, bias_, eps_);
    return silu ? activate(normed, Activation::silu) : normed;
}

LayerNorm::LayerNorm(const Scope& weights, std::int64_t width, double eps)
    : width_(width), eps_(eps), weight_(weights.take("weight", {width})), bias_(weights.take("bias", {width})) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const { return at::layer_norm(x, {width_}, weight_, bias_, eps_); }

}  // namespace lcm::nn
