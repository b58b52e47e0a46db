#include "lib/core/model/unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "tests/unit/gradients.h"
#include "tests/unit/random_weights.h"

using namespace lcm;

namespace {

/// A UNet of two levels, small enough to differentiate numerically.
UNetConfig small_config() {
    UNetConfig config;
    config.block_out_channels = {8, 16};
    config.down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"};
    config.up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"};
    config.layers_per_block = {1, 1};
    config.num_attention_heads = {2, 4};
    config.transformer_layers_per_block = {1, 1};
    config.cross_attention_dim = {6, 6};
    config.norm_num_groups = 4;
    return config;
}

UNetInputs small_inputs(std::int64_t batch, std::int64_t height, std::int64_t width, at::ScalarType type = at::kFloat) {
    UNetInputs inputs;
    inputs.sample = at::randn({batch, 4, height, width}, type);
    inputs.timestep = at::full({1}, 499, at::kLong);
    inputs.context = at::randn({batch, 5, 6}, type);
    return inputs;
}

/// Rounding of f32 in another order of the same sums: batched and single products differ by this at most, for values near 1.
bool close(const at::Tensor& a, const at::Tensor& b) { return a.sizes() == b.sizes() && at::allclose(a, b, 1e-4, 1e-5); }

std::string fault(const UNet& unet, const UNetInputs& inputs) {
    try {
        unet.forward(inputs);
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::data);
        return error.fault();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("sizes that do not halve evenly come back as they went in") {
    RandomWeights weights;
    const UNet unet(small_config(), weights);
    for (const auto& [height, width] : {std::pair{5, 7}, std::pair{1, 3}, std::pair{8, 2}}) {
        const UNetInputs inputs = small_inputs(2, height, width);
        const at::Tensor result = unet.forward(inputs);
        CHECK(result.sizes() == inputs.sample.sizes());
        CHECK(at::isfinite(result).all().item<bool>());
    }
}

TEST_CASE("a batch is its pictures, and one timestep stands for all") {
    RandomWeights weights;
    const UNet unet(small_config(), weights);
    UNetInputs both = small_inputs(2, 6, 4);
    const at::Tensor together = unet.forward(both);
    for (std::int64_t i = 0; i < 2; ++i) {
        UNetInputs one = both;
        one.sample = both.sample.narrow(0, i, 1);
        one.context = both.context.narrow(0, i, 1);
        CHECK(close(unet.forward(one), together.narrow(0, i, 1)));
    }
    both.timestep = at::tensor({499.0, 499.0});
    CHECK(close(unet.forward(both), together));
    both.timestep = at::tensor({499.0, 500.0});
    CHECK(close(unet.forward(both).narrow(0, 0, 1), together.narrow(0, 0, 1)));
    CHECK_FALSE(close(unet.forward(both).narrow(0, 1, 1), together.narrow(0, 1, 1)));
}

TEST_CASE("inputs that do not fit are refused, both sides named") {
    RandomWeights weights;
    UNetConfig config = small_config();
    const UNet unet(config, weights);
    const UNetInputs good = small_inputs(2, 4, 4);

    UNetInputs bad = good;
    bad.sample = at::randn({2, 3, 4, 4});
    CHECK(fault(unet, bad) == "the UNet's sample is [2,3,4,4], expected [*,4,*,*]");
    bad = good;
    bad.timestep = at::full({3}, 1, at::kLong);
    CHECK(fault(unet, bad) == "the UNet's timestep is [3], expected [2]");
    bad = good;
    bad.context = at::randn({2, 5, 7});
    CHECK(fault(unet, bad) == "the UNet's context is [2,5,7], expected [2,*,6]");
    bad.context = at::Tensor();
    CHECK(fault(unet, bad) == "the UNet's context is absent, expected [2,*,6]");
    bad.context = good.context.to(at::kDouble);
    CHECK(fault(unet, bad) == "the UNet's context is Double, expected Float as the sample");
    bad = good;
    bad.guidance = at::full({2}, 7.0);
    CHECK(fault(unet, bad) == "the guidance is given, but the UNet takes none");

    config.time_cond_proj_dim = 8;
    const UNet guided(config, weights);
    CHECK(fault(guided, good) == "the guidance is absent, expected [2]");
}

TEST_CASE("a whole UNet can be differentiated in its weights and inputs") {
    RandomWeights weights(at::kDouble, /*trained=*/true);
    UNetConfig config = small_config();
    config.time_cond_proj_dim = 8;
    UNetInputs inputs = small_inputs(1, 3, 2, at::kDouble);
    inputs.sample.requires_grad_(true);
    inputs.context.requires_grad_(true);
    inputs.guidance = at::full({1}, 7.0);
    const auto forward = [&] { return UNet(config, weights).forward(inputs); };
    forward();
    std::map<std::string, at::Tensor> leaves = weights.tensors();
    leaves["sample"] = inputs.sample;
    leaves["context"] = inputs.context;
    check_directional_gradient(leaves, forward);
}

TEST_CASE("the depth that an evaluation gave stands in for the inner blocks") {
    RandomWeights weights;
    const UNet unet(small_config(), weights);
    UNetInputs inputs = small_inputs(2, 6, 10);
    const UNetOutputs whole = unet.evaluate(inputs);
    CHECK(whole.deep.sizes() == at::IntArrayRef({2, 16, 6, 10}));
    inputs.deep = whole.deep;
    const UNetOutputs again = unet.evaluate(inputs);
    CHECK(close(again.sample, whole.sample));
    inputs.deep = whole.deep * 0;
    CHECK_FALSE(close(unet.forward(inputs), whole.sample));
    inputs.deep = whole.deep.narrow(0, 0, 1);
    CHECK(fault(unet, inputs).find("[2,16,6,10]") != std::string::npos);
}

TEST_CASE("merged tokens change the result a little, and none leave it alone") {
    RandomWeights weights;
    const UNet unet(small_config(), weights);
    UNetInputs inputs = small_inputs(1, 8, 8);
    const at::Tensor whole = unet.forward(inputs);
    inputs.token_merge = 0.5;
    const at::Tensor merged = unet.forward(inputs);
    CHECK_FALSE(close(merged, whole));
    CHECK((merged - whole).norm().item<double>() < whole.norm().item<double>());
    CHECK(at::allclose(unet.forward(inputs), merged, 0, 0));
}
