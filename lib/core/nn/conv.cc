#include <ATen/ops/conv2d.h>

#include <algorithm>

#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/gpu_kernels.h"
#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t large_bytes = 32 << 20;  // of a picture, from which on its memory is worth keeping
constexpr std::int64_t band_bytes = 4 << 20;    // of it that are replaced at a time, from cache to cache

}  // namespace

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

bool Conv2d::can_replace(const at::Tensor& x) const {
    return (packed_ || product_) && shape_.kernel == 1 && shape_.stride == 1 && shape_.out <= shape_.in && x.size(0) == 1 &&
           static_cast<std::int64_t>(x.nbytes()) >= large_bytes && is_only(x) && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor Conv2d::replacing(at::Tensor x) const {
    if (!can_replace(x)) return (*this)(x);
    const std::int64_t height = x.size(2), width = x.size(3), pixels = height * width;
    const std::int64_t band = std::max<std::int64_t>(1, band_bytes * height / static_cast<std::int64_t>(x.nbytes()));
    const at::Tensor result = to_picture(x.as_strided({1, pixels, shape_.out}, {pixels * shape_.out, shape_.out, 1}), height, width);
    // A band's results end before the next band's input begins.
    for (std::int64_t row = 0; row < height; row += band) {
        const std::int64_t rows = std::min(band, height - row);
        result.narrow(2, row, rows).copy_((*this)(x.narrow(2, row, rows)));
    }
    return result;
}

}  // namespace lcm::nn
