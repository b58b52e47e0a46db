#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/gpu_kernels.h"
#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

Linear::Linear(const Scope& weights, std::int64_t in, std::int64_t out, bool bias)
    : product_(weights.product({.in = in, .out = out, .bias = bias})) {
    if (product_) return;
    if (bias) bias_ = weights.take("bias", {out});
    branch_ = weights.branch("weight", {out, in});
    // A branch stands beside the plain product: its weights come and go with the records.
    if (packs(weights) && !branch_.down.defined())
        packed_ = pack_linear(weights, {in, out}, [&] { return weights.take_stored("weight", {out, in}); }, bias_);
    else
        weight_ = weights.take("weight", {out, in});
}

at::Tensor Linear::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
    if (product_) return (*product_)(x, epilogue);
    if (packed_) return (*packed_)(x, epilogue);
    at::Tensor product = at::linear(x, weight_, bias_);
    if (branch_.down.defined()) product = product.add_(at::linear(at::linear(x, branch_.down), branch_.up));
    return apply(epilogue, std::move(product), -1);
}

Geglu::Geglu(const Scope& weights, std::int64_t in, std::int64_t out) {
    const Scope proj = weights / "proj";
    product_ = proj.product({.in = in, .out = 2 * out, .gated = true});
    if (product_) return;
    if (!packs(proj) || proj.branch("weight", {2 * out, in}).down.defined()) {
        proj_.emplace(proj, in, 2 * out);
        return;
    }
    const auto plain = [&] { return proj.take_stored("weight", {2 * out, in}); };
    packed_ = pack_geglu(proj, {in, out}, plain, proj.take("bias", {2 * out}));
}

at::Tensor Geglu::operator()(const at::Tensor& x) const {
    if (product_) return product_->geglu(x);
    if (packed_) return (*packed_)(x);
    const at::Tensor both = (*proj_)(x);
    if (takes_gpu_geglu(both)) return gpu_geglu(both);
    const std::vector<at::Tensor> halves = both.chunk(2, -1);
    return halves[0] * activate(halves[1], Activation::gelu);
}

}  // namespace lcm::nn
