#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include <utility>

#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/int8_kernels.h"
#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

// A branch stands beside the plain product: its weights come and go with the records.
bool packs(const Scope& weights, const at::Tensor& weight) {
    return weights.packs() && has_packed_products(weight.scalar_type()) && !weights.branch("weight", weight.sizes()).down.defined();
}

}  // namespace

Linear::Linear(const Scope& weights, std::int64_t in, std::int64_t out, bool bias)
    : product_(weights.product({.in = in, .out = out, .bias = bias})) {
    if (product_) return;
    weight_ = weights.take("weight", {out, in});
    if (bias) bias_ = weights.take("bias", {out});
    branch_ = weights.branch("weight", {out, in});
    if (packs(weights, weight_)) packed_ = std::make_shared<PackedLinear>(std::exchange(weight_, {}), bias_);
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
    const at::Tensor weight = proj.take("weight", {2 * out, in});
    if (!packs(proj, weight)) {
        proj_.emplace(proj, in, 2 * out);
        return;
    }
    const at::Tensor bias = proj.take("bias", {2 * out});
    packed_value_ = std::make_shared<PackedLinear>(weight.narrow(0, 0, out), bias.narrow(0, 0, out));
    packed_gate_ = std::make_shared<PackedLinear>(weight.narrow(0, out, out), bias.narrow(0, out, out));
}

at::Tensor Geglu::operator()(const at::Tensor& x) const {
    if (product_) return geglu_kernel((*product_)(x, {}));
    if (!proj_) {
        Epilogue gelu;
        gelu.activation = Activation::gelu;
        return packed_value_->times(x, (*packed_gate_)(x, gelu));
    }
    const std::vector<at::Tensor> halves = (*proj_)(x).chunk(2, -1);
    return halves[0] * activate(halves[1], Activation::gelu);
}

}  // namespace lcm::nn
