#include "lib/core/nn/onednn_quantized.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <string_view>
#include <utility>

#include "lib/core/nn/epilogue.h"

namespace lcm::nn::onednn {

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

// Scales of inputs are part of the weights'; those of the result, and its zero point, belong to results in bytes.
constexpr double no_scale = 1;
constexpr std::int64_t no_zero_point = 0;

Sizes pair(std::int64_t value) { return Sizes({value, value}); }

constexpr std::int64_t usual_tokens = 1024, usual_side = 32;  // what oneDNN is told of the sizes to come

/// The steps in the order that oneDNN's kernels want.
at::Tensor packed(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& scale) {
    if (shape.is_matrix()) {
        static const auto call = find<at::Tensor(at::Tensor, std::optional<Sizes>)>("onednn::qlinear_prepack");
        return call.call(weight.steps, Sizes({usual_tokens, shape.in}));
    }
    static const auto call = find<at::Tensor(at::Tensor, at::Tensor, double, std::int64_t, Sizes, Sizes, Sizes, std::int64_t,
                                             std::optional<Sizes>)>("onednn::qconv_prepack");
    const std::int64_t side = usual_side + 2 * shape.padding;
    return call.call(weight.steps, scale, no_scale, no_zero_point, pair(shape.stride), pair(0), pair(1), 1,
                     Sizes({1, shape.in, side, side}));
}

/// One scale of both reaches oneDNN: two would be multiplied in an order that depends on the number of threads.
class QuantizedProduct : public Product {
public:
    QuantizedProduct(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias)
        : shape_(shape),
          input_(weight.input),
          scale_(sum_scales(weight)),
          zero_points_(at::zeros({shape.out}, at::kInt)),
          bias_(sum_biases(weight, row_sums(weight.steps), bias)),
          steps_(packed(shape, weight, scale_)) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override;

private:
    at::Tensor linear(const at::Tensor& x, const at::Tensor& bias, Epilogue& rest) const;
    at::Tensor convolution(const at::Tensor& x, const at::Tensor& bias) const;

    ProductShape shape_;
    StepRange input_;
    at::Tensor scale_, zero_points_;
    at::Tensor bias_;   ///< with the part of the zero point, f32
    at::Tensor steps_;  ///< in the order of oneDNN's kernels
};

at::Tensor QuantizedProduct::linear(const at::Tensor& x, const at::Tensor& bias, Epilogue& rest) const {
    const at::Tensor steps = quantize_steps(x, input_);
    if (rest.residual.defined() && rest.activation == Activation::none && !rest.channel.defined()) {
        static const auto call =
            find<at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, OptionalTensor, double,
                            std::int64_t, OptionalType, double, std::int64_t, std::string_view, double, std::string_view, Scalars,
                            std::string_view)>("onednn::qlinear_pointwise", "binary");
        const at::Tensor residual = std::exchange(rest.residual, at::Tensor());
        return call.call(steps, no_scale, no_zero_point, steps_, scale_, zero_points_, residual, bias, no_scale, no_zero_point,
                         x.scalar_type(), no_scale, no_zero_point, "add", 1.0, "none", Scalars(), "");
    }
    static const auto call = find<at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, double,
                                             std::int64_t, OptionalType, std::string_view, Scalars, std::string_view)>(
        "onednn::qlinear_pointwise");
    return call.call(steps, no_scale, no_zero_point, steps_, scale_, zero_points_, bias, no_scale, no_zero_point, x.scalar_type(),
                     "none", Scalars(), "");
}

at::Tensor QuantizedProduct::convolution(const at::Tensor& x, const at::Tensor& bias) const {
    const at::Tensor steps = quantize_picture(x, input_, shape_.padding);
    static const auto call =
        find<at::Tensor(at::Tensor, double, std::int64_t, at::Tensor, at::Tensor, at::Tensor, OptionalTensor, Sizes, Sizes, Sizes,
                        std::int64_t, double, std::int64_t, OptionalType, std::string_view, Scalars, Text)>("onednn::qconv2d_pointwise");
    return call.call(steps, no_scale, no_zero_point, steps_, scale_, zero_points_, bias, pair(shape_.stride), pair(0), pair(1), 1,
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

}  // namespace

std::shared_ptr<const Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias) {
    return std::make_shared<QuantizedProduct>(shape, weight, bias);
}

}  // namespace lcm::nn::onednn
