#include "lib/core/nn/embedding.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sin.h>

#include <cmath>

namespace lcm::nn {
namespace {

constexpr double max_period = 10000;

at::Tensor count_to(std::int64_t end) { return at::arange(end, at::TensorOptions().dtype(at::kFloat)); }

at::Tensor pad_odd(const at::Tensor& embedding, std::int64_t dim) {
    return dim % 2 == 0 ? embedding : at::constant_pad_nd(embedding, {0, 1});
}

}  // namespace

at::Tensor timestep_embedding(const at::Tensor& t, std::int64_t dim, bool flip_sin_to_cos, double freq_shift) {
    const std::int64_t half = dim / 2;
    const at::Tensor exponent = count_to(half).mul(-std::log(max_period)).div(static_cast<double>(half) - freq_shift);
    const at::Tensor phase = t.unsqueeze(1).to(at::kFloat) * at::exp(exponent).unsqueeze(0);
    const at::Tensor sine = at::sin(phase), cosine = at::cos(phase);
    return pad_odd(flip_sin_to_cos ? at::cat({cosine, sine}, 1) : at::cat({sine, cosine}, 1), dim);
}

at::Tensor guidance_embedding(const at::Tensor& w, std::int64_t dim) {
    const std::int64_t half = dim / 2;
    // The logarithm is a float32 tensor in the reference, not a double: at 10000 radians the difference shows in the fourth digit.
    const at::Tensor step = at::log(at::scalar_tensor(max_period, at::kFloat)).div(half - 1);
    const at::Tensor frequency = at::exp(count_to(half).mul(-step));
    const at::Tensor phase = w.mul(1000.0).to(at::kFloat).unsqueeze(1) * frequency.unsqueeze(0);
    return pad_odd(at::cat({at::sin(phase), at::cos(phase)}, 1), dim);
}

Embedding::Embedding(const Scope& weights, std::int64_t count, std::int64_t width)
    : weight_(weights.take_stored("weight", {count, width})), type_(weights.packs().value_or(weight_.scalar_type())) {}

at::Tensor Embedding::operator()(const at::Tensor& ids) const { return at::embedding(weight_, ids).to(type_); }

at::Tensor Embedding::first(std::int64_t count) const { return weight_.narrow(0, 0, count).to(type_); }

}  // namespace lcm::nn
