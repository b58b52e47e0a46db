#include "lib/optimize/quantize_weight.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/round.h>
#include <ATen/ops/where.h>

#include <limits>

namespace lcm {

namespace {

constexpr double last_step = 127;

}  // namespace

at::Tensor row_scales(const at::Tensor& weight) {
    const at::Tensor scale = weight.to(at::kFloat).flatten(1).abs().amax(1) / last_step;
    return at::where(scale >= std::numeric_limits<float>::min(), scale, at::ones_like(scale));
}

at::Tensor weight_steps(const at::Tensor& weight, const at::Tensor& scale) {
    const at::Tensor rows = weight.to(at::kFloat).flatten(1) / scale.unsqueeze(1);
    return rows.round_().clamp_(-last_step, last_step).to(at::kChar).view(weight.sizes());
}

}  // namespace lcm
