#include "lib/core/nn/quantized.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/full.h>

#include "lib/core/nn/blocked_quantized.h"
#include "lib/core/nn/onednn_quantized.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

/// -1 for a product of the wrong size.
std::int32_t largest_sum() {
    constexpr std::int64_t side = 64;
    QuantizedWeight weight{at::full({side, side}, 127, at::kChar), at::full({side}, 1.0, at::kFloat), {1.0F, 0}};
    const auto product = onednn::quantized_product({.in = side, .out = side, .bias = false}, weight, {});
    const at::Tensor sums = (*product)(at::full({side, side}, 255.0, at::kFloat), {});
    return sums.min().item<float>() == sums.max().item<float>() ? static_cast<std::int32_t>(sums.max().item<float>()) : -1;
}

}  // namespace

at::Tensor dequantize(const QuantizedWeight& weight) {
    std::vector<std::int64_t> column(weight.steps.dim(), 1);
    column.front() = weight.scale.size(0);
    return weight.steps.to(at::kFloat) * weight.scale.view(column);
}

bool has_quantized_products() {
    static const bool exact = [] {
        auto& operators = c10::Dispatcher::singleton();
        for (const char* name :
             {"onednn::qlinear_prepack", "onednn::qlinear_pointwise", "onednn::qconv_prepack", "onednn::qconv2d_pointwise"})
            if (!operators.findSchema({name, ""})) return false;
        return largest_sum() == 64 * 255 * 127;
    }();
    return exact;
}

at::Tensor sum_scales(const QuantizedWeight& weight) { return weight.scale * weight.input.scale; }

at::Tensor sum_biases(const QuantizedWeight& weight, const at::Tensor& sums, const at::Tensor& bias) {
    const double zero = -static_cast<double>(weight.input.zero_point) * weight.input.scale;
    at::Tensor result = sums.to(at::kDouble) * weight.scale.to(at::kDouble) * zero;
    if (bias.defined()) result = result + bias;
    return result.to(at::kFloat);
}

std::shared_ptr<const Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias,
                                                 at::ScalarType type, const Scope* kept) {
    if (type == at::kBFloat16 && multiplies(type)) return blocked::quantized_product(shape, weight, bias, kept);
    return onednn::quantized_product(shape, weight, bias);
}

}  // namespace lcm::nn
