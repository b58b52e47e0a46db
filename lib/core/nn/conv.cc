#include <ATen/ops/conv2d.h>

#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/gpu_kernels.h"
#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

Conv2d::Conv2d(const Scope& weights, const ConvShape& shape)
    : shape_(shape), product_(weights.product({shape.in, shape.out, shape.kernel, shape.stride, shape.padding, shape.bias})) {
    if (product_) return;
    const std::vector<std::int64_t> weight{shape.out, shape.in, shape.kernel, shape.kernel};
    if (shape.bias) bias_ = weights.take("bias", {shape.out});
    branch_ = weights.branch("weight", weight);
    if (packs(weights) && !branch_.down.defined())
        packed_ = pack_conv(weights, shape, [&] { return weights.take_stored("weight", weight); }, bias_);
    else
        weight_ = channels_last(weights.take("weight", weight));
}

at::Tensor Conv2d::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
    if (product_) return (*product_)(x, epilogue);
    if (packed_) return (*packed_)(x, epilogue);
    if (x.is_cuda() && !branch_.down.defined()) {  // where a bias is a pass of its own, all sums become one
        at::Tensor product = at::conv2d(x, weight_, {}, shape_.stride, shape_.padding);
        if (takes_gpu_kernels(product)) return gpu_epilogue(std::move(product), bias_, epilogue);
        if (bias_.defined()) product.add_(bias_.view({1, -1, 1, 1}));
        return apply(epilogue, std::move(product), 1);
    }
    at::Tensor product = at::conv2d(x, weight_, bias_, shape_.stride, shape_.padding);
    if (branch_.down.defined())
        product = product.add_(at::conv2d(at::conv2d(x, branch_.down, {}, shape_.stride, shape_.padding), branch_.up));
    return apply(epilogue, std::move(product), 1);
}

}  // namespace lcm::nn
