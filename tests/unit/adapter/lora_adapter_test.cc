#include "lib/core/adapter/lora_adapter.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lib/base/log.h"
#include "lib/core/adapter/adapted_weights.h"
#include "lib/core/nn/layers.h"
#include "lib/core/tensor/threads.h"
#include "tests/unit/adapter/small_model.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/random_weights.h"

using namespace lcm;

namespace {

std::shared_ptr<const LoraAdapter> adapter(const std::vector<StoredTensor>& tensors, const LoraAdapter::Strength& strength = {}) {
    const TemporaryFolder folder;
    const AdapterTarget target = small_target();
    return std::make_shared<LoraAdapter>(open_adapter_file(write_file(folder / "a.safetensors", safetensors_bytes(tensors)), target.names),
                                         strength, target);
}

std::vector<StoredTensor> everywhere() {
    auto tensors = plain_lora();
    const std::string conv = conv_in, second = "lora_unet_down_blocks_1_resnets_0_conv1";
    tensors.push_back(ones(conv + ".lora_down.weight", {1, 2, 3, 3}));
    tensors.push_back(ones(conv + ".lora_up.weight", {4, 1, 1, 1}));
    tensors.push_back(ones(second + ".diff", {4, 4, 3, 3}));
    tensors.push_back(ones("lora_te_text_model_encoder_layers_0_self_attn_q_proj.diff", {3, 3}));
    return tensors;
}

double change(const BaseAdapter& adapter, const char* parameter, at::IntArrayRef shape) {
    const at::Tensor delta = adapter.weight_delta(Network::unet, parameter, at::full(shape, 1.0, at::kFloat));
    return delta.defined() ? delta.flatten()[0].item<double>() : 0;
}

}  // namespace

TEST_CASE("weights of adapter and block multiply, and what gets 0 is left alone") {
    const auto lora = adapter(everywhere(), {.weight = -0.5, .blocks = BlockWeights::parse("down.0:2,down.1:0,text:0")});
    CHECK(change(*lora, to_k_parameter, {4, 6}) == -2);
    CHECK(change(*lora, "conv_in.weight", {4, 2, 3, 3}) == -0.5);
    CHECK(change(*lora, "down_blocks.1.resnets.0.conv1.weight", {4, 4, 3, 3}) == 0);
    CHECK(lora->changes(Network::unet));
    CHECK_FALSE(lora->changes(Network::text_encoder));
    CHECK(adapter(everywhere())->changes(Network::text_encoder));
    CHECK_FALSE(adapter(everywhere(), {.weight = 0})->changes(Network::unet));
}

TEST_CASE("block weights for blocks that the model lacks are refused") {
    check_error(ExitCode::data, {"the model has no block \"up\""}, [] { adapter(plain_lora(), {.blocks = BlockWeights::parse("up:1")}); });
}

TEST_CASE("stacked adapters add up and untouched weights stay where they are") {
    AdapterSet set;
    set.adapters = {adapter(plain_lora()), adapter(plain_lora(3), {.weight = -2}), adapter(plain_lora(1))};
    RandomWeights weights;
    AdaptedWeights adapted(weights, set, Network::unet);
    const at::Tensor plain = weights.take(to_k_parameter, {4, 6});
    CHECK(at::equal(adapted.take(to_k_parameter, {4, 6}), (plain.to(at::kDouble) + (2 - 6 + 1)).to(at::kFloat)));
    const at::Tensor untouched = weights.take("conv_in.weight", {4, 2, 3, 3});
    CHECK(adapted.take("conv_in.weight", {4, 2, 3, 3}).const_data_ptr() == untouched.const_data_ptr());
}

TEST_CASE("a weight of many parts is the sum in f64 of all that adapters add, with any number of threads") {
    /// One change as a product of factors, one as a whole.
    struct Both : BaseAdapter {
        at::Tensor down = at::randn({3, 1000}, at::kDouble), up = at::randn({1501, 3}, at::kDouble);
        bool is_product = true;
        std::optional<nn::LowRank> low_rank(Network, const std::string&, at::IntArrayRef) const override {
            return is_product ? std::optional(nn::LowRank{down, up}) : std::nullopt;
        }
        at::Tensor weight_delta(Network, const std::string&, const at::Tensor&) const override { return at::matmul(up, down); }
    };
    const auto product = std::make_shared<Both>(), whole = std::make_shared<Both>();
    whole->is_product = false;
    RandomWeights weights;
    const at::Tensor plain = weights.take("w", {1501, 1000});
    const at::Tensor expected = plain.to(at::kDouble) + at::matmul(product->up, product->down) + at::matmul(whole->up, whole->down);
    at::Tensor found;
    for (const int threads : {1, 2, 3}) {
        set_threads(threads);
        AdaptedWeights adapted(weights, {{product, whole}, AdapterMode::merge, {}}, Network::unet);
        const at::Tensor again = adapted.take("w", {1501, 1000});
        // 1e-7: a sum is rounded to f32 once.
        CHECK(at::allclose(again.to(at::kDouble), expected, 1e-7, 1e-12));
        if (found.defined()) CHECK(at::equal(again, found));
        found = again;
    }
}

TEST_CASE("layers give the same with adapters merged and at run time, and without a copy of the weight in the second") {
    AdapterSet set;
    set.adapters = {adapter(everywhere()), adapter(plain_lora(3), {.weight = 0.3})};
    RandomWeights weights;
    const auto run = [&](AdapterMode mode) {
        set.mode = mode;
        AdaptedWeights adapted(weights, set, Network::unet);
        const nn::Scope scope(adapted);
        const nn::Linear linear(scope / module_of(to_k_parameter), 6, 4, /*bias=*/false);
        const nn::Conv2d conv(scope / "conv_in", {.in = 2, .out = 4});
        return std::pair(linear(at::full({1, 3, 6}, 0.7)), conv(nn::channels_last(at::full({1, 2, 5, 5}, 0.3))));
    };
    const auto merged = run(AdapterMode::merge), beside = run(AdapterMode::runtime);
    CHECK(at::allclose(merged.first, beside.first, 1e-5, 1e-6));
    CHECK(at::allclose(merged.second, beside.second, 1e-5, 1e-6));
    AdaptedWeights adapted(weights, set, Network::unet);
    CHECK(adapted.take(to_k_parameter, {4, 6}).const_data_ptr() == weights.take(to_k_parameter, {4, 6}).const_data_ptr());
    CHECK(adapted.branch(to_k_parameter, {4, 6}).down.size(0) == 5);
}

TEST_CASE("numbers that are none are named when they are merged") {
    auto tensors = plain_lora();
    tensors[0] = ones(tensors[0].name, {2, 6}, std::numeric_limits<float>::quiet_NaN());
    const auto broken = adapter(tensors);
    check_error(ExitCode::data, {"a.safetensors", tensors[0].name, "nan"}, [&] { change(*broken, to_k_parameter, {4, 6}); });
    RandomWeights weights;
    AdaptedWeights adapted(weights, {{broken}, AdapterMode::merge, {}}, Network::unet);
    check_error(ExitCode::data, {"a.safetensors", tensors[0].name, "nan"}, [&] { adapted.take(to_k_parameter, {4, 6}); });
}

TEST_CASE("unused tensors may be allowed, but not when there is nothing else") {
    const TemporaryFolder folder;
    AdapterTarget target = small_target();
    target.allow_unused = true;
    auto tensors = plain_lora();
    tensors.push_back(ones("lora_unet_other.alpha", {}));
    const std::string path = write_file(folder / "a.safetensors", safetensors_bytes(tensors));
    set_log({.level = LogLevel::error});
    CHECK(LoraAdapter(open_adapter_file(path, target.names), {}, target).changes(Network::unet));
    set_log({});
    const std::string other = write_file(folder / "b.safetensors", safetensors_bytes({ones("lora_unet_other.alpha", {})}));
    check_error(ExitCode::data, {other, "no adapter for this model"},
                [&] { LoraAdapter(open_adapter_file(other, target.names), {}, target); });
}

TEST_CASE("the three rules of a DoRA agree at weight 1 and keep apart elsewhere") {
    auto tensors = plain_lora();
    tensors.push_back(ones(std::string(to_k) + ".dora_scale", {4, 1}, 5));
    const auto at_weight = [&](double weight, DoraRule rule) {
        return change(*adapter(tensors, {.weight = weight, .rule = rule}), to_k_parameter, {4, 6});
    };
    const double full = at_weight(1, DoraRule::linear);
    CHECK(full == doctest::Approx(5 / std::sqrt(6.0) - 1));
    CHECK(at_weight(1, DoraRule::lycoris) == doctest::Approx(full));
    CHECK(at_weight(1, DoraRule::peft) == doctest::Approx(full));
    CHECK(at_weight(0.5, DoraRule::linear) == doctest::Approx(full / 2));
    CHECK(at_weight(0.5, DoraRule::automatic) == doctest::Approx(full / 2));
    CHECK(at_weight(0.5, DoraRule::lycoris) == doctest::Approx(3 * ((5 / std::sqrt(6.0) / 3 - 1) / 2 + 1) - 1));
    CHECK(at_weight(0.5, DoraRule::peft) == doctest::Approx(full));
    CHECK_FALSE(adapter(tensors)->low_rank(Network::unet, to_k_parameter, at::IntArrayRef({4, 6})).has_value());
}
