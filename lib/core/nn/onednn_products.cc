#include "lib/core/nn/onednn_products.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include "lib/core/nn/epilogue.h"
#include "lib/core/tensor/instruction_set.h"

namespace lcm::nn::onednn {

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
PackedWeight packed(const Scope& weights, const std::string& form, const PlainWeight& plain, const Reorder& reorder) {
    return packed_once(weights, form, plain, [&](const at::Tensor& weight) {
        expect_memory(weight.nbytes());
        return reorder(weight);
    });
}

/// One matrix; `form` tells halves of a weight apart.
class Matrix {
public:
    Matrix(const Scope& weights, const std::string& form, const PlainWeight& plain, at::Tensor bias)
        : weight_(packed(weights, form, plain, [](const at::Tensor& weight) { return reorder(weight); })), bias_(std::move(bias)) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const {
        const Plan work = plan(bias_, epilogue);
        if (is_sum(work)) return linear_with(x, work.rest.residual, weight_.weight, work.bias, "add");
        static const auto call =
            find<at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&, std::string_view, Scalars, Text)>(
                "mkldnn::_linear_pointwise");
        return apply(work.rest, call.call(x, weight_.weight, optional(work.bias), work.attribute, Scalars(), algorithm(work.attribute)),
                     -1);
    }

    /// The product times `factor`, of its shape.
    at::Tensor times(const at::Tensor& x, const at::Tensor& factor) const { return linear_with(x, factor, weight_.weight, bias_, "mul"); }

private:
    PackedWeight weight_;
    at::Tensor bias_;
};

class Linear : public PackedLinear {
public:
    explicit Linear(Matrix matrix) : matrix_(std::move(matrix)) {}
    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override { return matrix_(x, epilogue); }

private:
    Matrix matrix_;
};

class Geglu : public PackedGeglu {
public:
    Geglu(Matrix value, Matrix gate) : value_(std::move(value)), gate_(std::move(gate)) {}
    at::Tensor operator()(const at::Tensor& x) const override {
        Epilogue gelu;
        gelu.activation = Activation::gelu;
        return value_.times(x, gate_(x, gelu));
    }

private:
    Matrix value_, gate_;
};

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

constexpr std::int64_t whole_bytes = 32 << 20;  // a picture up to this size is not divided
constexpr std::int64_t band_bytes = 24 << 20;   // of a band: small beside a picture, large beside the cost of waking the threads

/// Rows of a band; of the shape alone, so that the bytes do not depend on the machine.
std::int64_t band_rows(const at::Tensor& x) {
    const auto row_bytes = x.size(1) * x.size(3) * static_cast<std::int64_t>(x.element_size());
    return std::max<std::int64_t>(8, band_bytes / row_bytes - 2);
}

/// The epilogue of rows `first` to `first + count` of picture `picture`.
Epilogue part(const Epilogue& epilogue, std::int64_t picture, std::int64_t first, std::int64_t count) {
    Epilogue result = epilogue;
    if (epilogue.channel.defined()) result.channel = epilogue.channel.narrow(0, picture, 1);
    if (epilogue.residual.defined()) result.residual = epilogue.residual.narrow(0, picture, 1).narrow(2, first, count);
    return result;
}

class Conv2d : public PackedConv2d {
public:
    Conv2d(const Scope& weights, const ConvShape& shape, const PlainWeight& plain, at::Tensor bias)
        : shape_(shape),
          weight_(packed(weights, fmt::format("{}x{}", shape.kernel, shape.kernel), plain,
                         [&](const at::Tensor& weight) { return reorder(shape, weight); })),
          bias_(std::move(bias)) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override { return convolve(x, epilogue, shape_.padding); }

    /// A large picture is taken in bands of rows, so that what lies between the norm and the product never takes the memory of a picture.
    at::Tensor of_norm(const at::Tensor& x, const GroupNormArguments& norm, const Epilogue& epilogue) const override {
        const bool keeps_size = shape_.kernel == 3 && shape_.stride == 1 && shape_.padding == 1;
        if (!keeps_size || static_cast<std::int64_t>(x.nbytes()) <= whole_bytes * x.size(0))
            return (*this)(group_norm_kernel(x, norm), epilogue);
        const NormLines lines(x, norm);
        at::Tensor result = at::empty({x.size(0), shape_.out, x.size(2), x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
        const std::int64_t height = x.size(2), rows = band_rows(x);
        for (std::int64_t picture = 0; picture < x.size(0); ++picture)
            for (std::int64_t first = 0; first < height; first += rows) {
                const std::int64_t count = std::min(rows, height - first);
                const at::Tensor band = convolve(lines.rows(picture, first - 1, count + 2), part(epilogue, picture, first, count), 0);
                result.narrow(0, picture, 1).narrow(2, first, count).copy_(band);
            }
        return result;
    }

private:
    at::Tensor convolve(const at::Tensor& x, const Epilogue& epilogue, std::int64_t row_padding) const;

    ConvShape shape_;
    PackedWeight weight_;
    at::Tensor bias_;
};

at::Tensor Conv2d::convolve(const at::Tensor& x, const Epilogue& epilogue, std::int64_t row_padding) const {
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

}  // namespace

bool takes(at::ScalarType type) {
    if (type != at::kFloat && type != at::kBFloat16) return false;
    // Without instructions for bf16, oneDNN refuses it or adds up in an order that depends on the number of threads.
    if (type == at::kBFloat16 && instruction_set() < InstructionSet::avx512_bf16) return false;
    return at::hasMKLDNN() && c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""}).has_value();
}

std::shared_ptr<const PackedLinear> pack_linear(const Scope& weights, LinearShape, const PlainWeight& plain, const at::Tensor& bias) {
    return std::make_shared<Linear>(Matrix(weights, "", plain, bias));
}

std::shared_ptr<const PackedGeglu> pack_geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) {
    at::Tensor both;
    const auto half = [&](const char* form, std::int64_t first) {
        const auto rows = [&] {
            if (!both.defined()) both = plain();
            return both.narrow(0, first, shape.out);
        };
        return Matrix(weights, form, rows, bias.narrow(0, first, shape.out));
    };
    Matrix value = half("value", 0);
    return std::make_shared<Geglu>(std::move(value), half("gate", shape.out));
}

std::shared_ptr<const PackedConv2d> pack_conv(const Scope& weights, const ConvShape& shape, const PlainWeight& plain,
                                              const at::Tensor& bias) {
    return std::make_shared<Conv2d>(weights, shape, plain, bias);
}

}  // namespace lcm::nn::onednn
