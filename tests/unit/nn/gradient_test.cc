#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include "lib/core/nn/embedding.h"
#include "lib/core/nn/layers.h"
#include "tests/unit/gradients.h"
#include "tests/unit/random_weights.h"

using namespace lcm::nn;

namespace {

at::Tensor leaf(at::IntArrayRef shape) { return at::randn(shape, at::kDouble).requires_grad_(true); }

/// Gradients of a layer in its parameters and in `inputs`; `apply(weights)` builds the layer and runs it.
template <typename Apply>
void check_layer(std::map<std::string, at::Tensor> inputs, const Apply& apply) {
    RandomWeights weights(at::kDouble, /*trained=*/true);
    apply(Scope(weights));
    inputs.insert(weights.tensors().begin(), weights.tensors().end());
    check_gradients(inputs, [&] { return apply(Scope(weights)); });
}

Epilogue epilogue(Activation activation, const at::Tensor& channel, const at::Tensor& residual) {
    Epilogue all;
    all.activation = activation;
    all.channel = channel;
    all.residual = residual;
    return all;
}

constexpr Activation activations[] = {Activation::none, Activation::silu, Activation::gelu, Activation::quick_gelu, Activation::relu};

}  // namespace

TEST_CASE("gradients of linear layers, with every activation, a channel and a residual") {
    for (const Activation activation : activations) {
        const at::Tensor x = leaf({2, 3, 4}), channel = leaf({2, 5}), residual = leaf({2, 3, 5});
        check_layer({{"x", x}, {"channel", channel}, {"residual", residual}},
                    [&](const Scope& weights) { return Linear(weights, 4, 5)(x, epilogue(activation, channel, residual)); });
    }
    const at::Tensor x = leaf({3, 4});
    check_layer({{"x", x}}, [&](const Scope& weights) { return Linear(weights, 4, 2, /*bias=*/false)(x); });
}

TEST_CASE("gradients of convolutions") {
    for (const Activation activation : activations) {
        const at::Tensor x = leaf({2, 3, 5, 4}), channel = leaf({2, 2}), residual = leaf({2, 2, 3, 2});
        check_layer({{"x", x}, {"channel", channel}, {"residual", residual}}, [&](const Scope& weights) {
            return Conv2d(weights, {.in = 3, .out = 2, .stride = 2})(channels_last(x), epilogue(activation, channel, residual));
        });
    }
    const at::Tensor x = leaf({1, 3, 2, 2});
    const ConvShape pointwise{.in = 3, .out = 2, .kernel = 1, .padding = 0, .bias = false};
    check_layer({{"x", x}}, [&](const Scope& weights) { return Conv2d(weights, pointwise)(x); });
}

TEST_CASE("gradients of norms") {
    const at::Tensor picture = leaf({2, 6, 3, 2}), tokens = leaf({2, 3, 5});
    check_layer({{"x", picture}}, [&](const Scope& weights) { return GroupNorm(weights, 3, 6, 1e-5)(channels_last(picture)); });
    check_layer({{"x", picture}}, [&](const Scope& weights) { return GroupNorm(weights, 2, 6, 1e-6).norm_silu(channels_last(picture)); });
    check_layer({{"x", tokens}}, [&](const Scope& weights) { return LayerNorm(weights, 5, 1e-5)(tokens); });
}

TEST_CASE("gradients of the gated feed-forward and of embeddings") {
    const at::Tensor x = leaf({2, 3, 4});
    check_layer({{"x", x}}, [&](const Scope& weights) { return Geglu(weights, 4, 3)(x); });
    check_layer({}, [&](const Scope& weights) {
        const Embedding embedding(weights, 5, 3);
        return embedding(at::tensor({1, 4, 1, 0})) + embedding.first(4);
    });
}

TEST_CASE("gradients of attention") {
    const at::Tensor q = leaf({2, 4, 6}), k = leaf({2, 3, 6}), v = leaf({2, 3, 6}), k4 = leaf({2, 4, 6}), v4 = leaf({2, 4, 6});
    check_layer({{"q", q}, {"k", k}, {"v", v}}, [&](const Scope&) { return attention(q, k, v, 2); });
    check_layer({{"q", q}, {"k", k4}, {"v", v4}}, [&](const Scope&) { return attention(q, k4, v4, 3, /*causal=*/true); });
}

TEST_CASE("gradients of changes of shape") {
    const at::Tensor x = leaf({2, 3, 2, 3}), y = leaf({2, 1, 2, 3});
    check_layer({{"x", x}, {"y", y}}, [&](const Scope&) { return upsample_nearest(channels_last(concat_channels(x, y)), 5, 6); });
    check_layer({{"x", x}}, [&](const Scope&) { return pad_bottom_right(x); });
    check_layer({{"x", x}}, [&](const Scope&) {
        const at::Tensor tokens = to_tokens(channels_last(x));
        return to_picture(tokens * tokens, 2, 3);
    });
}
