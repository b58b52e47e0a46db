#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {

Linear::Linear(const Scope& weights, std::int64_t in, std::int64_t out, bool bias)
    : weight_(weights.take("weight", {out, in})), bias_(bias ? weights.take("bias", {out}) : at::Tensor()) {}

at::Tensor Linear::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
    return apply(epilogue, at::linear(x, weight_, bias_), -1);
}

Geglu::Geglu(const Scope& weights, std::int64_t in, std::int64_t out) : proj_(weights / "proj", in, 2 * out) {}

at::Tensor Geglu::operator()(const at::Tensor& x) const {
    const std::vector<at::Tensor> halves = proj_(x).chunk(2, -1);
    return halves[0] * activate(halves[1], Activation::gelu);
}

}  // namespace lcm::nn
