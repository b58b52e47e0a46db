#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include "lib/core/model/clip_vision.h"
#include "lib/core/model/clip_vision_processor.h"
#include "lib/core/model/controlnet.h"
#include "lib/core/model/efficientnet.h"
#include "lib/core/model/ip_adapter.h"
#include "lib/core/model/t2i_adapter.h"
#include "lib/core/weights/weight_set.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/random_weights.h"

using namespace lcm;

namespace {

Json json(const std::string& text) { return parse_json("{" + text + "}", "config.json"); }

const std::string blocks = R"("block_out_channels": [8, 16], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "cross_attention_dim": 12, "attention_head_dim": 2, "norm_num_groups": 4, "layers_per_block": 1)";

UNetConfig unet_config() { return UNetConfig::from_json(json(blocks + R"(, "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"])")); }

const std::string control = blocks + R"(, "conditioning_embedding_out_channels": [4, 6, 8, 8])";

UNetInputs inputs_of(std::int64_t width) {
    UNetInputs inputs;
    inputs.sample = at::zeros({1, 4, 8, 8});
    inputs.timestep = at::zeros({1});
    inputs.context = at::zeros({1, 3, width});
    return inputs;
}

const WeightFile efficientnet_file() {
    return WeightFile(std::string(std::getenv("LCM_SOURCE_ROOT")) + "/lib/models/efficientnet-lite0/model.safetensors");
}

}  // namespace

TEST_CASE("a ControlNet of other widths, layers or text than the UNet is refused by name") {
    const ControlNetConfig config = ControlNetConfig::from_json(json(control));
    CHECK(config.factor() == 8);
    config.expect_fits(unet_config(), "canny");
    UNetConfig deeper = unet_config(), other_text = unet_config();
    deeper.layers_per_block = {2, 2};
    other_text.cross_attention_dim = {20, 20};
    check_error(ExitCode::data, {"canny", "layers [1, 1]", "[2, 2]"}, [&] { config.expect_fits(deeper, "canny"); });
    check_error(ExitCode::data, {"canny", "text width 12", "20"}, [&] { config.expect_fits(other_text, "canny"); });
    UNetConfig wider = unet_config();
    wider.block_out_channels = {16, 16};
    check_error(ExitCode::data, {"canny", "widths [8, 16]", "[16, 16]"}, [&] { config.expect_fits(wider, "canny"); });
}

TEST_CASE("a ControlNet's configuration: what is not implemented is refused") {
    const auto refused = [](const std::string& more, std::string_view key) {
        check_error(ExitCode::data, {"config.json", key}, [&] { ControlNetConfig::from_json(json(control + more)); });
    };
    refused(R"(, "global_pool_conditions": true)", "global_pool_conditions");
    refused(R"(, "controlnet_conditioning_channel_order": "gbr")", "controlnet_conditioning_channel_order");
    refused(R"(, "surprise": 1)", "surprise");
}

TEST_CASE("maps and residuals of a wrong shape are named") {
    RandomWeights weights;
    const ControlNet net(ControlNetConfig::from_json(json(control)), weights);
    check_error(ExitCode::data, {"control map", "[*,3,*,*]"}, [&] { net.embed(at::zeros({1, 4, 64, 64})); });
    check_error(ExitCode::data, {"control map", "60x64", "multiple of 8"}, [&] { net.embed(at::zeros({1, 3, 64, 60})); });
    const at::Tensor seen = net.embed(at::zeros({1, 3, 64, 64})), narrow = net.embed(at::zeros({1, 3, 64, 32}));
    check_error(ExitCode::data, {"ControlNet sees", "[1,8,8,8]"}, [&] { net.forward(inputs_of(12), narrow); });
    check_error(ExitCode::data, {"ControlNet's context"}, [&] { net.forward(inputs_of(11), seen); });

    RandomWeights unet_weights;
    const UNet unet(unet_config(), unet_weights);
    UNetInputs inputs = inputs_of(12);
    inputs.down_residuals = {at::zeros({1, 8, 8, 8})};
    check_error(ExitCode::data, {"residuals are 1", "takes 4"}, [&] { unet.forward(inputs); });
    inputs.down_residuals = {at::zeros({1, 8, 8, 8}), at::zeros({1, 8, 8, 8}), at::zeros({1, 8, 4, 4}), at::zeros({1, 8, 4, 4})};
    check_error(ExitCode::data, {"residual 3"}, [&] { unet.forward(inputs); });
    inputs.down_residuals.clear();
    inputs.adapter_states = {at::zeros({1, 8, 8, 8})};
    check_error(ExitCode::data, {"states are 1", "takes 2"}, [&] { unet.forward(inputs); });
}

TEST_CASE("residuals of two ControlNets add up, and guess mode falls to a tenth at the first") {
    RandomWeights weights;
    const ControlNet net(ControlNetConfig::from_json(json(control)), weights);
    const at::Tensor seen = net.embed(at::zeros({1, 3, 64, 64}));
    const ControlResiduals once = net.forward(inputs_of(12), seen), guess = net.forward(inputs_of(12), seen, {.scale = 2, .guess = true});
    ControlResiduals twice = once;
    twice.add(once);
    CHECK(twice.down[2].allclose(once.down[2] * 2));
    CHECK(twice.middle.allclose(once.middle * 2));
    CHECK(guess.down[0].allclose(once.down[0] * 0.2));
    CHECK(guess.middle.allclose(once.middle * 2));
}

TEST_CASE("T2I-Adapters of other kinds and widths are refused") {
    const std::string adapter = R"("channels": [8, 16], "num_res_blocks": 1)";
    const T2IAdapterConfig config = T2IAdapterConfig::from_json(json(adapter));
    config.expect_fits(unet_config(), "depth");
    check_error(ExitCode::data, {"config.json", "adapter_type", "light_adapter"},
                [&] { T2IAdapterConfig::from_json(json(adapter + R"(, "adapter_type": "light_adapter")")); });
    check_error(ExitCode::data, {"depth", "widths [8]", "[8, 16]"},
                [&] { T2IAdapterConfig::from_json(json(R"("channels": [8])")).expect_fits(unet_config(), "depth"); });
    RandomWeights weights;
    const T2IAdapter net(config, weights);
    check_error(ExitCode::data, {"control map of 60x64", "multiple of 8"}, [&] { net.forward(at::zeros({1, 3, 64, 60})); });
    CHECK(net.forward(at::zeros({1, 3, 64, 32}))[1].sizes() == at::IntArrayRef({1, 16, 4, 2}));
}

TEST_CASE("an IP-Adapter for another text width, and a file of another kind, are refused") {
    const WeightFile file(golden_model("ip-adapter") + "/models/ip-adapter_tiny.safetensors");
    const IPAdapterShape shape = IPAdapterShape::of(file);
    CHECK(shape.image_width == 20);
    CHECK(shape.tokens == 4);
    check_error(ExitCode::data, {"style.safetensors", "text of width 32", "takes 12"},
                [&] { shape.expect_fits(unet_config(), "style.safetensors"); });
    check_error(ExitCode::data, {"model.safetensors", "image_proj.proj.weight", "no IP-Adapter"},
                [] { IPAdapterShape::of(efficientnet_file()); });
}

TEST_CASE("a CLIP vision model's configuration and processor refuse what they do not implement") {
    const auto refused = [](const std::string& text, std::string_view key) {
        check_error(ExitCode::data, {"config.json", key}, [&] { CLIPVisionConfig::from_json(json(text)); });
    };
    refused(R"("hidden_act": "silu")", "hidden_act");
    refused(R"("num_attention_heads": 7)", "num_attention_heads");
    refused(R"("patch_size": 500)", "patch_size");
    const auto wrong = [](const std::string& text, std::string_view key) {
        check_error(ExitCode::data, {"config.json", key}, [&] { CLIPImageProcessor::from_json(json(text)); });
    };
    wrong(R"("do_resize": false)", "do_resize");
    wrong(R"("resample": 9)", "resample");
    wrong(R"("image_std": [1, 0, 1])", "image_std");
    wrong(R"("size": {"height": 3})", "size");
    wrong(R"("crop_size": -1)", "crop_size");
    CHECK(CLIPImageProcessor::from_json(json(R"("size": 32, "crop_size": {"width": 30, "height": 31})")).crop_height == 31);
}

TEST_CASE("EfficientNet-Lite0 makes the published features") {
    const WeightFile expected(std::string(std::getenv("LCM_TESTDATA")) + "/efficientnet-lite0/expected.safetensors");
    WeightSet weights({efficientnet_file()}, at::kFloat, efficientnet_key);
    const EfficientNetLite network(weights);
    weights.expect_all_used();
    const at::Tensor input = expected.view("input"), want = expected.view("pooled");
    CHECK(network.pooled(input).allclose(want, 1e-4, 1e-5));
    CHECK(network.features(at::zeros({1, 3, 65, 33})).sizes() == at::IntArrayRef({1, 1280, 3, 2}));
    check_error(ExitCode::data, {"feature network's pixels"}, [&] { network.pooled(at::zeros({1, 1, 224, 224})); });
}
