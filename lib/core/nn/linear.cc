#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/gpu_kernels.h"
#include "lib/core/nn/int8_kernels.h"
#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

Linear::Linear(const Scope& weights, std::int64_t in, std::int64_t out, bool bias)
    : product_(weights.product({.in = in, .out = out, .bias = bias})) {
    if (product_) return;
    const auto plain = [&] { return weights.take("weight", {out, in}); };
    if (bias) bias_ = weights.take("bias", {out});
    branch_ = weights.branch("weight", {out, in});
    // A branch stands beside the plain product: its weights come and go with the records.
    if (packs(weights) && !branch_.down.defined())
        packed_ = std::make_shared<PackedLinear>(weights, "", plain, bias_);
    else
        weight_ = plain();
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
    product_ = proj.product({.in = in, .out = 2 * out});
    if (product_) return;
    if (!packs(proj) || proj.branch("weight", {2 * out, in}).down.defined()) {
        proj_.emplace(proj, in, 2 * out);
        return;
    }
    at::Tensor both;
    const auto half = [&](std::int64_t first) {
        if (!both.defined()) both = proj.take("weight", {2 * out, in});
        return both.narrow(0, first, out);
    };
    const at::Tensor bias = proj.take("bias", {2 * out});
    packed_value_ = std::make_shared<PackedLinear>(
        proj, "value", [&] { return half(0); }, bias.narrow(0, 0, out));
    packed_gate_ = std::make_shared<PackedLinear>(
        proj, "gate", [&] { return half(out); }, bias.narrow(0, out, out));
}

at::Tensor Geglu::operator()(const at::Tensor& x) const {
    if (product_) return geglu_kernel((*product_)(x, {}));
    if (!proj_) {
        Epilogue gelu;
        gelu.activation = Activation::gelu;
        return packed_value_->times(x, (*packed_gate_)(x, gelu));
    }
    const at::Tensor both = (*proj_)(x);
    if (takes_gpu_geglu(both)) return gpu_geglu(both);
    const std::vector<at::Tensor> halves = both.chunk(2, -1);
    return halves[0] * activate(halves[1], Activation::gelu);
}

}  // namespace lcm::nn
