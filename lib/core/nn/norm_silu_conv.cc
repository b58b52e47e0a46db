#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

at::Tensor norm_silu_conv(const GroupNorm& norm, const Conv2d& conv, const at::Tensor& x, const Epilogue& epilogue) {
    if ((!conv.packed_ && !conv.product_) || !takes_group_norm_kernel(x)) return conv(norm.norm_silu(x), epilogue);
    const GroupNormArguments arguments{norm.groups_, norm.eps_, norm.weight_, norm.bias_, /*silu=*/true};
    const at::Tensor picture = channels_last(x);
    return conv.product_ ? conv.product_->of_norm(picture, arguments, epilogue) : conv.packed_->of_norm(picture, arguments, epilogue);
}

}  // namespace lcm::nn
