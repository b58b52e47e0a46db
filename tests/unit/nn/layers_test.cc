#include "lib/core/nn/layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "lib/core/nn/convert.h"
#include "lib/core/nn/kernels/vector_kernels.h"
#include "lib/core/tensor/threads.h"
#include "tests/unit/random_weights.h"

using namespace lcm::nn;

namespace {

/// Equal but for the rounding of f64 in sums of a few hundred terms.
bool close(const at::Tensor& a, const at::Tensor& b) { return a.sizes() == b.sizes() && at::allclose(a, b, 1e-12, 1e-12); }

at::Tensor random(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }

at::Tensor silu_formula(const at::Tensor& x) { return x / (1 + at::exp(-x)); }

}  // namespace

TEST_CASE("activations follow their formulas") {
    const at::Tensor x = random({50});
    CHECK(close(activate(x, Activation::none), x));
    CHECK(close(activate(x, Activation::silu), silu_formula(x)));
    CHECK(close(activate(x, Activation::gelu), x * 0.5 * (1 + at::erf(x / std::sqrt(2.0)))));
    CHECK(close(activate(x, Activation::quick_gelu), x / (1 + at::exp(x * -1.702))));
    CHECK(close(activate(x, Activation::relu), x.clamp_min(0)));
}

TEST_CASE("an epilogue is act(product + bias + channel) + residual, of tokens and of pictures") {
    RandomWeights weights(at::kDouble);
    Epilogue epilogue;
    epilogue.activation = Activation::silu;
    epilogue.channel = random({2, 5});
    const at::Tensor tokens = random({2, 3, 4});
    epilogue.residual = random({2, 3, 5});
    const at::Tensor residual = epilogue.residual.clone();
    const Linear linear(Scope(weights) / "linear", 4, 5);
    const at::Tensor product = at::matmul(tokens, weights.take("linear.weight", {5, 4}).t()) + weights.take("linear.bias", {5});
    CHECK(close(linear(tokens), product));
    CHECK(close(linear(tokens, epilogue), silu_formula(product + epilogue.channel.unsqueeze(1)) + residual));
    CHECK(close(epilogue.residual, residual));

    const at::Tensor picture = channels_last(random({2, 4, 3, 2}));
    const Conv2d conv(Scope(weights) / "conv", {.in = 4, .out = 5, .kernel = 1, .padding = 0});
    epilogue.residual = random({2, 5, 3, 2});
    const at::Tensor weight = weights.take("conv.weight", {5, 4, 1, 1}).view({5, 4}), bias = weights.take("conv.bias", {5});
    const at::Tensor pixels = at::matmul(to_tokens(picture), weight.t()) + bias;
    CHECK(close(conv(picture, epilogue), silu_formula(to_picture(pixels, 3, 2) + epilogue.channel.view({2, 5, 1, 1})) + epilogue.residual));
}

TEST_CASE("a convolution sums its window: padding, stride, channels") {
    RandomWeights weights(at::kDouble);
    const Conv2d conv(Scope(weights), {.in = 2, .out = 3, .stride = 2, .bias = false});
    const at::Tensor x = random({1, 2, 4, 4}), weight = weights.take("weight", {3, 2, 3, 3});
    const at::Tensor y = conv(channels_last(x));
    CHECK(y.sizes() == at::IntArrayRef({1, 3, 2, 2}));
    CHECK(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    for (std::int64_t out = 0; out < 3; ++out) {
        // The window of (1,1) begins at row and column 1; that of (0,0) has its first row and column outside.
        CHECK(close(y[0][out][1][1], (x[0].narrow(1, 1, 3).narrow(2, 1, 3) * weight[out]).sum()));
        CHECK(close(y[0][out][0][0], (x[0].narrow(1, 0, 2).narrow(2, 0, 2) * weight[out].narrow(1, 1, 2).narrow(2, 1, 2)).sum()));
    }
}

TEST_CASE("a convolution holds a channels-last weight as it is, so that updates show") {
    RandomWeights weights(at::kDouble);
    at::Tensor weight = weights.take("weight", {3, 2, 3, 3});
    weights.tensors()["weight"] = weight = channels_last(weight);
    const Conv2d conv(Scope(weights), {.in = 2, .out = 3, .bias = false});
    const at::Tensor x = random({1, 2, 4, 4}), before = conv(x);
    weight.mul_(2);
    CHECK(close(conv(x), before * 2));
}

TEST_CASE("norms take mean and variance away, then scale and shift") {
    RandomWeights weights(at::kDouble);
    const at::Tensor gain = weights.take("weight", {6}).view({1, 6, 1, 1}), bias = weights.take("bias", {6}).view({1, 6, 1, 1});
    const at::Tensor x = random({2, 6, 3, 2});
    const at::Tensor grouped = x.view({2, 3, -1}), centred = grouped - grouped.mean(-1, true);
    const at::Tensor normed = (centred / at::sqrt((centred * centred).mean(-1, true) + 1e-3)).view({2, 6, 3, 2}) * gain + bias;
    const GroupNorm norm(Scope(weights), 3, 6, 1e-3);
    CHECK(close(norm(channels_last(x)), normed));
    CHECK(close(norm.norm_silu(channels_last(x)), silu_formula(normed)));

    const at::Tensor tokens = random({2, 3, 6}), away = tokens - tokens.mean(-1, true);
    const at::Tensor layer_normed = away / at::sqrt((away * away).mean(-1, true) + 1e-3) * gain.view(6) + bias.view(6);
    CHECK(close(LayerNorm(Scope(weights), 6, 1e-3)(tokens), layer_normed));
}

TEST_CASE("the gated feed-forward multiplies the first half by gelu of the second") {
    RandomWeights weights(at::kDouble);
    const at::Tensor x = random({2, 3, 4}), both = Linear(Scope(weights) / "proj", 4, 10)(x);
    CHECK(close(Geglu(Scope(weights), 4, 5)(x), both.narrow(2, 0, 5) * activate(both.narrow(2, 5, 5), Activation::gelu)));
}

TEST_CASE("attention is softmax(q k^T / sqrt(d)) v, head by head, causal or not") {
    const std::int64_t heads = 2, tokens = 5, size = 3;
    const at::Tensor q = random({2, tokens, heads * size}), k = random({2, tokens, heads * size}), v = random({2, tokens, heads * size});
    const at::Tensor later = at::full({tokens, tokens}, -std::numeric_limits<double>::infinity(), at::kDouble).triu(1);
    for (const bool causal : {false, true}) {
        const at::Tensor found = attention(q, k, v, heads, causal);
        for (std::int64_t head = 0; head < heads; ++head) {
            const auto part = [&](const at::Tensor& x) { return x.narrow(2, head * size, size); };
            at::Tensor scores = at::matmul(part(q), part(k).transpose(1, 2)) / std::sqrt(double(size));
            if (causal) scores = scores + later;
            CHECK(close(part(found), at::matmul(at::softmax(scores, -1), part(v))));
        }
    }
}

TEST_CASE("nearest upsampling reads pixel floor(i * in / out), for odd sizes too") {
    const at::Tensor x = random({1, 2, 3, 2}), y = upsample_nearest(channels_last(x), 5, 4);
    for (std::int64_t row = 0; row < 5; ++row)
        for (std::int64_t column = 0; column < 4; ++column)
            CHECK(close(y.select(2, row).select(2, column), x.select(2, row * 3 / 5).select(2, column / 2)));
}

TEST_CASE("padding, joining and turning pictures into tokens move values only") {
    const at::Tensor x = channels_last(random({2, 3, 2, 4}));
    const at::Tensor padded = pad_bottom_right(x);
    CHECK(close(padded.narrow(2, 0, 2).narrow(3, 0, 4), x));
    CHECK(close(padded.select(2, 2), at::zeros({2, 3, 5}, at::kDouble)));
    CHECK(close(padded.select(3, 4), at::zeros({2, 3, 3}, at::kDouble)));
    CHECK(close(concat_channels(x, x * 2).narrow(1, 3, 3), x * 2));

    const at::Tensor tokens = to_tokens(x);
    CHECK(tokens.data_ptr() == x.data_ptr());
    CHECK(close(tokens[1][6], x.select(0, 1).select(1, 1).select(1, 2)));
    CHECK(to_picture(tokens, 2, 4).data_ptr() == x.data_ptr());
    CHECK(close(to_picture(tokens, 2, 4), x));
}

TEST_CASE("the group norm of inference is the exact one, with any number of threads") {
    // 2e-5: the mean is 30 standard deviations from zero, which costs 30 units in the last place of f32 where it is taken off.
    // 100 channels fill several vectors, one, and a part of one.
    for (const auto& [channels, height, width] : {std::tuple{32, 1, 1}, {32, 7, 5}, {32, 64, 96}, {100, 7, 5}, {100, 40, 33}}) {
        RandomWeights weights(at::kFloat);
        const GroupNorm norm(Scope(weights) / "norm", 4, channels, 1e-5);
        const at::Tensor x = channels_last(at::randn({2, channels, height, width}) * 3 + 100);
        const auto exact = [&, count = channels](const char* name) { return weights.take(name, {count}).to(at::kDouble); };
        const at::Tensor expected = at::group_norm(x.to(at::kDouble), 4, exact("norm.weight"), exact("norm.bias"), 1e-5);
        const at::NoGradGuard no_grad;
        at::Tensor found, found_silu;
        for (const int threads : {1, 2, 3}) {
            lcm::set_threads(threads);
            const at::Tensor again = norm(x), again_silu = norm.norm_silu(x);
            if (found.defined()) {
                CHECK(at::equal(found, again));
                CHECK(at::equal(found_silu, again_silu));
            }
            found = again;
            found_silu = again_silu;
        }
        CHECK(at::allclose(found.to(at::kDouble), expected, 2e-5, 2e-5));
        CHECK(at::allclose(found_silu.to(at::kDouble), silu_formula(expected), 2e-5, 2e-5));
        CHECK(found.is_contiguous(at::MemoryFormat::ChannelsLast));
        // 0.01: bf16 has 8 binary digits.
        const at::Tensor narrow = (x - 100).to(at::kBFloat16);
        CHECK(at::allclose(norm.norm_silu(narrow).to(at::kFloat), norm.norm_silu(narrow.to(at::kFloat)), 0.01, 0.01));
    }
}

TEST_CASE("activations of inference are those of training, with any number of threads") {
    // 1e-5: numbers that fill no vector go by another formula of the same function, which is made of f32 operations.
    const at::Tensor dense = at::randn({100'003}), half = at::randn({300, 512}).chunk(2, 1)[1];
    for (const auto activation : {Activation::silu, Activation::gelu, Activation::quick_gelu, Activation::relu, Activation::tanh})
        for (const at::Tensor& x : {dense, half, channels_last(at::randn({2, 33, 31, 37}))}) {
            const at::Tensor expected = activate(x, activation);
            const at::NoGradGuard no_grad;
            lcm::set_threads(1);
            const at::Tensor alone = activate(x, activation);
            CHECK(at::allclose(alone, expected, 1e-5, 1e-5));
            for (const int threads : {2, 3, 7}) {
                lcm::set_threads(threads);
                CAPTURE(threads);
                CHECK(at::equal(activate(x, activation), alone));
            }
        }
}

TEST_CASE("the vectorized SiLU is exact to a few units in the last place, with any instruction set and any number of channels") {
    for (const char* set : {"default", "avx2", "avx512", ""}) {
        CAPTURE(set);
        ::setenv("ATEN_CPU_CAPABILITY", set, 1);
        for (const std::int64_t channels : {1, 7, 16, 24, 65}) {
            const std::vector<float> one(static_cast<std::size_t>(channels), 1), zero(static_cast<std::size_t>(channels));
            double worst = 0;
            for (int i = -8600; i <= 8700; i += 3) {
                std::vector<float> x(one.size(), static_cast<float>(i) * 0.01F + 0.003F), y(one.size(), 0);
                vector_kernels().f32.scale_silu(x.data(), y.data(), {1, channels}, one.data(), zero.data());
                const double exact = x[0] / (1 + std::exp(-static_cast<double>(x[0])));
                for (const float each : y) worst = std::max(worst, std::abs(each - exact) / std::abs(exact));
            }
            CHECK(worst < 4 * 1.2e-7);  // the exponential within 2 units, the quotient within 2 more
        }
        float x[2] = {-1000, 1000}, y[2] = {};
        const float one[2] = {1, 1}, zero[2] = {};
        vector_kernels().f32.scale_silu(x, y, {1, 2}, one, zero);
        CHECK(y[0] == doctest::Approx(0));
        CHECK(y[1] == 1000.0F);
    }
    ::unsetenv("ATEN_CPU_CAPABILITY");
}

TEST_CASE("halves become bf16 and f32 as libtorch makes them, all 65536 of them, with any instruction set") {
    const at::Tensor bits = at::arange(-32768, 32768, at::kInt).to(at::kShort), all = bits.view(at::kHalf);
    for (const char* set : {"default", "avx2", "avx512", ""}) {
        CAPTURE(set);
        ::setenv("ATEN_CPU_CAPABILITY", set, 1);
        for (const at::ScalarType type : {at::kBFloat16, at::kFloat})
            for (const at::Tensor& halves : {all, all.narrow(0, 5, 13)}) {
                const at::Tensor expected = halves.to(type), found = to_type(halves, type);
                CHECK(at::equal(at::isnan(found), at::isnan(expected)));
                const at::Tensor numbers = at::isnan(expected).logical_not();
                CHECK(at::equal(found.masked_select(numbers), expected.masked_select(numbers)));
            }
    }
    ::unsetenv("ATEN_CPU_CAPABILITY");
}
