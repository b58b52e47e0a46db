#include "lib/core/nn/quantized.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include "lib/core/nn/layers.h"
#include "lib/core/tensor/threads.h"

using namespace lcm::nn;

namespace {

constexpr at::ScalarType types[] = {at::kFloat, at::kBFloat16};

QuantizedWeight random_weight(at::IntArrayRef shape) {
    return {at::randint(-127, 128, shape).to(at::kChar), at::rand({shape[0]}) * 0.01 + 0.001, {0.03125F, 77}};
}

/// What x is after its steps, in f64.
at::Tensor on_steps(const at::Tensor& x, const StepRange& range) {
    const double zero = range.zero_point;
    return ((x.to(at::kDouble) / range.scale).round() + zero).clamp(0, 255).sub(zero) * range.scale;
}

at::Tensor exact_weight(const QuantizedWeight& weight) {
    std::vector<std::int64_t> column(weight.steps.dim(), 1);
    column[0] = weight.steps.size(0);
    return weight.steps.to(at::kDouble) * weight.scale.to(at::kDouble).view(column);
}

/// Sums of bytes are exact: what is left is the rounding of f32 behind them (scale, bias with the zero point's part), and of the type.
void check_near(const at::Tensor& found, const at::Tensor& exact) {
    CHECK(found.sizes() == exact.sizes());
    const double error = (found.to(at::kDouble) - exact).abs().max().item<double>(), largest = exact.abs().max().item<double>();
    CHECK(error <= largest * (found.scalar_type() == at::kFloat ? 2e-6 : 0.012));
}

Epilogue epilogue_of(bool channel, bool residual, at::IntArrayRef shape, std::int64_t channels, at::ScalarType type) {
    Epilogue epilogue;
    if (channel) epilogue.channel = at::randn({shape[0], channels}, type);
    if (residual) epilogue.residual = shape.size() == 4 ? channels_last(at::randn(shape, type)) : at::randn(shape, type);
    return epilogue;
}

/// act(exact + channel) + residual in f64.
at::Tensor with(const Epilogue& epilogue, at::Tensor exact) {
    if (epilogue.channel.defined()) {
        const at::Tensor channel = epilogue.channel.to(at::kDouble);
        exact = exact + (exact.dim() == 4 ? channel.unsqueeze(-1).unsqueeze(-1) : channel.unsqueeze(1));
    }
    return epilogue.residual.defined() ? exact + epilogue.residual.to(at::kDouble) : exact;
}

/// The product with each epilogue against the exact one, with the same bytes from 1 to 3 threads.
void check_product(const ProductShape& shape, const at::Tensor& x, const at::Tensor& exact, const Product& product) {
    const at::NoGradGuard no_grad;
    for (const bool channel : {false, true})
        for (const bool residual : {false, true}) {
            const Epilogue epilogue = epilogue_of(channel, residual, exact.sizes(), shape.out, x.scalar_type());
            const at::Tensor found = product(x, epilogue);
            CHECK((found.scalar_type() == x.scalar_type()));
            check_near(found, with(epilogue, exact));
            for (const int threads : {1, 2, 3}) {
                lcm::set_threads(threads);
                CHECK(at::equal(found, product(x, epilogue)));
            }
            lcm::set_threads(1);
        }
}

}  // namespace

TEST_CASE("numbers become steps: rounded to even, clamped, 0 on the zero point") {
    const StepRange range{0.5F, 10};
    const at::Tensor x = at::tensor({0.0F, 0.5F, 0.25F, 0.75F, -0.25F, -5.0F, -5.5F, -1e30F, 122.5F, 123.0F, 1e30F});
    const at::Tensor steps = at::tensor({10, 11, 10, 12, 10, 0, 0, 0, 255, 255, 255}).to(at::kByte);
    CHECK(at::equal(quantize_steps(x, range), steps));
    CHECK(at::equal(quantize_steps(x.to(at::kBFloat16), range).narrow(0, 0, 7), steps.narrow(0, 0, 7)));
}

TEST_CASE("a step back is at most half a step away") {
    const at::Tensor x = at::randn({7, 333});
    const StepRange range{8.0F / 255, 128};
    const at::Tensor back = (quantize_steps(x, range).to(at::kFloat) - 128) * range.scale;
    CHECK((back - x.clamp(-128 * range.scale, 127 * range.scale)).abs().max().item<float>() <= range.scale * 0.5001F);
}

TEST_CASE("a picture is quantized with a border of its zero point") {
    const StepRange range{0.1F, 31};
    for (const at::ScalarType type : types) {
        const at::Tensor x = at::randn({2, 5, 4, 3}).to(type);
        const at::Tensor padded = quantize_picture(x, range, 2);
        CHECK(padded.sizes() == at::IntArrayRef{2, 5, 8, 7});
        CHECK(padded.is_contiguous(at::MemoryFormat::ChannelsLast));
        const at::Tensor expected = at::full({2, 5, 8, 7}, 31, at::kByte);
        expected.narrow(2, 2, 4).narrow(3, 2, 3).copy_(quantize_steps(x.contiguous(), range));
        CHECK(at::equal(padded, expected));
    }
}

TEST_CASE("weights come back as step times scale, and their rows add up") {
    const QuantizedWeight weight{at::tensor({1, -127, 0, 100, 27, 127}).to(at::kChar).view({2, 3}), at::tensor({0.5F, 2.0F}), {}};
    CHECK(at::equal(dequantize(weight), at::tensor({0.5F, -63.5F, 0.0F, 200.0F, 54.0F, 254.0F}).view({2, 3})));
    CHECK(at::equal(row_sums(weight.steps), at::tensor({-126, 254}).to(at::kInt)));
    const at::Tensor wide = at::randint(-128, 128, {70, 333}).to(at::kChar);
    CHECK(at::equal(row_sums(wide), wide.to(at::kInt).sum(1).to(at::kInt)));
}

TEST_CASE("geglu in one pass is a * gelu(b)") {
    const at::Tensor x = at::randn({2, 9, 2 * 75}) * 3;
    const auto halves = x.to(at::kDouble).chunk(2, -1);
    const at::Tensor exact = halves[0] * at::gelu(halves[1]);
    CHECK((geglu_kernel(x).to(at::kDouble) - exact).abs().max().item<double>() < 2e-5);
    check_near(geglu_kernel(x.to(at::kBFloat16)), exact);
}

TEST_CASE("a linear layer in int8 is the exact product of its steps") {
    if (!has_quantized_products()) return;
    for (const at::ScalarType type : types)
        for (const ProductShape& shape : {ProductShape{.in = 96, .out = 40}, ProductShape{.in = 333, .out = 17, .bias = false}}) {
            const QuantizedWeight weight = random_weight(shape.weight());
            const at::Tensor x = at::randn({2, 19, shape.in}).to(type), bias = shape.bias ? at::randn({shape.out}) : at::Tensor();
            const at::Tensor exact = at::linear(on_steps(x, weight.input), exact_weight(weight), shape.bias ? bias.to(at::kDouble) : bias);
            check_product(shape, x, exact, *quantized_product(shape, weight, bias, type));
        }
}

TEST_CASE("a convolution in int8 is the exact product of its steps, up to its border") {
    if (!has_quantized_products()) return;
    for (const at::ScalarType type : types)
        for (const ProductShape& shape : {ProductShape{.in = 32, .out = 48, .kernel = 3, .padding = 1},
                                          ProductShape{.in = 16, .out = 16, .kernel = 3, .stride = 2, .padding = 1},
                                          ProductShape{.in = 24, .out = 8, .kernel = 1}}) {
            const QuantizedWeight weight = random_weight(shape.weight());
            const at::Tensor x = channels_last(at::randn({2, shape.in, 9, 7}).to(type)), bias = at::randn({shape.out});
            const at::Tensor exact =
                at::conv2d(on_steps(x, weight.input), exact_weight(weight), bias.to(at::kDouble), shape.stride, shape.padding);
            check_product(shape, x, exact, *quantized_product(shape, weight, bias, type));
        }
}

TEST_CASE("pictures of another size go through the same product") {
    if (!has_quantized_products()) return;
    const ProductShape shape{.in = 32, .out = 32, .kernel = 3, .padding = 1, .bias = false};
    const QuantizedWeight weight = random_weight(shape.weight());
    const auto product = quantized_product(shape, weight, {}, at::kFloat);
    for (const std::int64_t side : {8, 16, 5}) {
        const at::Tensor x = channels_last(at::randn({1, 32, side, side}));
        check_near((*product)(x, {}), at::conv2d(on_steps(x, weight.input), exact_weight(weight), {}, 1, 1));
    }
}
