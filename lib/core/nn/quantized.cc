#include "lib/core/nn/quantized.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <string_view>
#include <utility>

#include "lib/core/nn/epilogue.h"

namespace lcm::nn {

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::optional<std::string_view>;
using OptionalTensor = std::optional<at::Tensor>;
using OptionalType = std::optional<at::ScalarType>;
using Sizes = c10::List<std::int64_t>;

template <typename Signature>
c10::TypedOperatorHandle<Signature> find(const char* name, const char* overload = "") {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

// The operators' own scale and zero point of the result belong to results in bytes.
constexpr double no_scale = 1;
constexpr std::int64_t no_zero_point = 0;

Sizes pair(std::int64_t value) { return Sizes({value, value}); }

constexpr std::int64_t usual_tokens = 1024, usual_side = 32;  // what oneDNN is told of the sizes to come

/// The steps in the order that oneDNN's kernels want.
at::Tensor packed(const ProductShape& shape, const QuantizedWeight& weight) {
    if (shape.is_matrix()) {
        static const auto call = find<at::Tensor(at::Tensor, std::optional<Sizes>)>("onednn::qlinear_prepack");
        return call.call(weight.steps, Sizes({usual_tokens, shape.in}));
    }
    static const auto call = find<at::Tensor(at::Tensor, at::Tensor, double, std::int64_t, Sizes, Sizes, Sizes, std::int64_t,
                                             std::optional<Sizes>)>("onednn::qconv_prepack");
    const std::int64_t side = usual_side + 2 * shape.padding;
    return call.call(weight.steps, weight.scale, weight.input.scale, no_zero_point, pair(shape.stride), pair(0), pair(1), 1,
                     Sizes({1, shape.in, side, side}));
}

/// -1 for a product of the wrong size.
std::int32_t largest_sum() {
    constexpr std::int64_t side = 64;
    QuantizedWeight weight{at::full({side, side}, 127, at::kChar), at::full({side}, 1.0, at::kFloat), {1.0F, 0}};
    const QuantizedProduct product({.in = side, .out = side, .bias = false}, weight, {});
    const at::Tensor sums = product(at::full({side, side}, 255.0, at::kFloat), {});
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

QuantizedProduct::QuantizedProduct(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias)
    : shape_(shape),
      input_(weight.input),
      steps_(packed(shape, weight)),
      scale_(weight.scale),
      zero_points_(at::zeros({shape.out}, at::kInt)),
      bias_(row_sums(weight.steps).to(at::kDouble) * scale_.to(at::kDouble) * (-static_cast<double>(input_.zero_point) * input_.scale)) {
    if (bias.defined()) bias_ = bias_ + bias;
    bias_ = bias_.to(at::kFloat);
}

at::Tensor QuantizedProduct::linear(const at::Tensor& x, const at::Tensor& bias, Epilogue& rest) const {
    const at::Tensor steps = quantize_steps(x, input_);
    if (rest.residual.defined() && rest.activation == Activation::none && !rest.channel.defined()) {
        static const auto call =
            find<at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, OptionalTensor, double,
                            std::int64_t, OptionalType, double, std::int64_t, std::string_view, double, std::string_view, Scalars,
                            std::string_view)>("onednn::qlinear_pointwise", "binary");
        const at::Tensor residual = std::exchange(rest.residual, at::Tensor());
        return call.call(steps, input_.scale, no_zero_point, steps_, scale_, zero_points_, residual, bias, no_scale, no_zero_point,
                         x.scalar_type(), no_scale, no_zero_point, "add", 1.0, "none", Scalars(), "");
    }
    static const auto call = find<at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, double,
                                             std::int64_t, OptionalType, std::string_view, Scalars, std::string_view)>(
        "onednn::qlinear_pointwise");
    return call.call(steps, input_.scale, no_zero_point, steps_, scale_, zero_points_, bias, no_scale, no_zero_point, x.scalar_type(),
                     "none", Scalars(), "");
}

at::Tensor QuantizedProduct::convolution(const at::Tensor& x, const at::Tensor& bias) const {
    const at::Tensor steps = quantize_picture(x, input_, shape_.padding);
    static const auto call =
        find<at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, Sizes, Sizes, Sizes,
                        std::int64_t, double, std::int64_t, OptionalType, std::string_view, Scalars, Text)>("onednn::qconv2d_pointwise");
    return call.call(steps, input_.scale, no_zero_point, steps_, scale_, zero_points_, bias, pair(shape_.stride), pair(0), pair(1), 1,
                     no_scale, no_zero_point, x.scalar_type(), "none", Scalars(), Text());
}

at::Tensor QuantizedProduct::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
    Epilogue rest = epilogue;
    at::Tensor bias = bias_;
    if (rest.channel.defined() && rest.channel.size(0) == 1) {  // the channels of a single picture are a bias
        bias = bias + rest.channel.reshape({-1});
        rest.channel.reset();
    }
    at::Tensor product = shape_.is_matrix() ? linear(x, bias, rest) : convolution(x, bias);
    return apply(rest, std::move(product), shape_.is_matrix() ? -1 : 1);
}

}  // namespace lcm::nn
