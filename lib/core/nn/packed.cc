#include "lib/core/nn/packed.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <fmt/format.h>

#include <array>
#include <new>
#include <string_view>

#include "lib/core/nn/epilogue.h"
#include "lib/core/tensor/instruction_set.h"

namespace lcm::nn {

namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;
using Text = std::optional<std::string_view>;

template <typename Signature>
c10::TypedOperatorHandle<Signature> find(const char* name, const char* overload = "") {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

/// What oneDNN calls an activation; nothing where it is not fused.
std::string_view name(Activation activation) {
    switch (activation) {
        case Activation::silu:
            return "swish";
        case Activation::gelu:
            return "gelu";
        case Activation::relu:
            return "relu";
        case Activation::tanh:
            return "tanh";
        default:
            return "none";
    }
}

/// What is left to do behind the product.
struct Plan {
    at::Tensor bias;             ///< with the channels of a single picture
    std::string_view attribute;  ///< the activation that the product makes
    Epilogue rest;
};

// The channels of one picture are a bias. An activation followed by a residual sum is no post-operation of these operators.
Plan plan(const at::Tensor& bias, const Epilogue& epilogue) {
    Plan result{bias, "none", epilogue};
    if (epilogue.channel.defined() && epilogue.channel.size(0) == 1) {
        const at::Tensor channel = epilogue.channel.reshape({-1});
        result.bias = bias.defined() ? bias + channel : channel;
        result.rest.channel.reset();
    }
    if (result.rest.channel.defined()) return result;
    result.attribute = name(epilogue.activation);
    if (result.attribute != "none") result.rest.activation = Activation::none;
    return result;
}

bool is_sum(const Plan& plan) {
    return plan.attribute == "none" && plan.rest.activation == Activation::none && !plan.rest.channel.defined() &&
           plan.rest.residual.defined();
}

std::optional<at::Tensor> optional(const at::Tensor& tensor) { return tensor.defined() ? std::optional(tensor) : std::nullopt; }

Text algorithm(std::string_view attribute) { return attribute == "gelu" ? Text("none") : Text(); }

at::Tensor linear_with(const at::Tensor& x, const at::Tensor& other, const at::Tensor& weight, const at::Tensor& bias,
                       std::string_view operation) {
    static const auto call =
        find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view)>(
            "mkldnn::_linear_pointwise", "binary");
    return call.call(x, other, weight, optional(bias), operation);
}

}  // namespace

bool packs(const Scope& weights) {
    const auto type = weights.packs();
    if (!type || (*type != at::kFloat && *type != at::kBFloat16)) return false;
    if (*type == at::kBFloat16 && instruction_set() < InstructionSet::avx512) return false;  // oneDNN refuses it there
    return at::hasMKLDNN() && c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""}).has_value();
}

namespace {

constexpr std::int64_t usual_tokens = 1024, usual_side = 32;  // what oneDNN is told of the sizes to come

at::Tensor reorder(const at::Tensor& weight) {
    static const auto call = find<at::Tensor(const at::Tensor&, std::optional<std::int64_t>)>("mkldnn::_reorder_linear_weight");
    return call.call(weight.contiguous(), usual_tokens);
}

/// Throws where memory runs out: oneDNN does not look whether it got the memory that it asked for, and would crash.
void expect_memory(std::size_t bytes) {
    constexpr std::size_t margin = std::size_t{8} << 20;  // far more than its own descriptions and code
    ::operator delete(::operator new(bytes + margin));
}

template <typename Reorder>
PackedWeight pack(const Scope& weights, const std::string& form, const PlainWeight& plain, const Reorder& reorder) {
    PackedWeight packed = weights.find_packed("weight", form);
    if (packed.weight.defined()) return packed;
    const at::Tensor weight = plain();
    expect_memory(weight.nbytes());
    packed.weight = reorder(weight);
    weights.keep_packed("weight", form, packed.weight);
    return packed;
}

}  // namespace

PackedLinear::PackedLinear(const Scope& weights, const std::string& form, const PlainWeight& plain, at::Tensor bias)
    : weight_(pack(weights, form, plain, [](const at::Tensor& weight) { return reorder(weight); })), bias_(std::move(bias)) {}

at::Tensor PackedLinear::operator()(const at::Tensor& x, const Epilogue& epilogue) const {
    const Plan work = plan(bias_, epilogue);
    if (is_sum(work)) return linear_with(x, work.rest.residual, weight_.weight, work.bias, "add");
    static const auto call =
        find<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view, Scalars, Text)>(
            "mkldnn::_linear_pointwise");
    return apply(work.rest, call.call(x, weight_.weight, optional(work.bias), work.attribute, Scalars(), algorithm(work.attribute)), -1);
}

at::Tensor PackedLinear::times(const at::Tensor& x, const at::Tensor& factor) const {
    return linear_with(x, factor, weight_.weight, bias_, "mul");
}

namespace {

using Sizes = at::IntArrayRef;

/// Padding, stride and dilation of a convolution with the same in both directions.
struct Geometry {
    std::array<std::int64_t, 2> padding, stride, dilation{1, 1};

    explicit Geometry(const ConvShape& shape) : padding{shape.padding, shape.padding}, stride{shape.stride, shape.stride} {}
};

at::Tensor reorder(const ConvShape& shape, const at::Tensor& weight) {
    static const auto call = find<at::Tensor(const at::Tensor&, Sizes, Sizes, Sizes, std::int64_t, at::OptionalIntArrayRef)>(
        "mkldnn::_reorder_convolution_weight");
    const Geometry geometry(shape);
    const std::array<std::int64_t, 4> usual{1, shape.in, usual_side, usual_side};
    return call.call(weight, geometry.padding, geometry.stride, geometry.dilation, 1, Sizes(usual));
}

}  // namespace

PackedConv2d::PackedConv2d(const Scope& weights, const ConvShape& shape, const PlainWeight& plain, at::Tensor bias)
    : shape_(shape),
      weight_(pack(weights, fmt::format("{}x{}", shape.kernel, shape.kernel), plain,
                   [&](const at::Tensor& weight) { return reorder(shape, weight); })),
      bias_(std::move(bias)) {}

at::Tensor PackedConv2d::operator()(const at::Tensor& x, const Epilogue& epilogue) const { return convolve(x, epilogue, shape_.padding); }
at::Tensor PackedConv2d::inner_rows(const at::Tensor& x, const Epilogue& epilogue) const { return convolve(x, epilogue, 0); }

at::Tensor PackedConv2d::convolve(const at::Tensor& x, const Epilogue& epilogue, std::int64_t row_padding) const {
    const Plan work = plan(bias_, epilogue);
    Geometry geometry(shape_);
    geometry.padding[0] = row_padding;
    if (is_sum(work)) {
        static const auto call =
            find<at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, Sizes, Sizes, Sizes,
                            std::int64_t, std::string_view, std::optional<at::Scalar>, Text, Scalars, Text)>(
                "mkldnn::_convolution_pointwise", "binary");
        return call.call(x, work.rest.residual, weight_.weight, optional(work.bias), geometry.padding, geometry.stride, geometry.dilation,
                         1, "add", {}, {}, Scalars(), {});
    }
    static const auto call = find<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, Sizes, Sizes, Sizes,
                                             std::int64_t, std::string_view, Scalars, Text)>("mkldnn::_convolution_pointwise");
    at::Tensor product = call.call(x, weight_.weight, optional(work.bias), geometry.padding, geometry.stride, geometry.dilation, 1,
                                   work.attribute, Scalars(), algorithm(work.attribute));
    return apply(work.rest, std::move(product), 1);
}

}  // namespace lcm::nn
