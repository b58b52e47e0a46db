#include <ATen/ops/conv2d.h>

#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {

Conv2d::Conv2d(const Scope& weights, const ConvShape& shape)
    : shape_(shape),
      weight_(channels_last(weights.take("weight", {shape.out, shape.in, shape.kernel, shape.kernel}))),
      bias_(shape.bias ? weights.take("bias", {shape.out}) : at::Tensor()) {}

at::Tensor Conv2d::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
    return apply(epilogue, at::conv2d(x, weight_, bias_, shape_.stride, shape_.padding), 1);
}

}  // namespace lcm::nn
