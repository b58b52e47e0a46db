#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <c10/core/InferenceMode.h>
#include <doctest/doctest.h>

#include "lib/core/tensor/graph.h"
#include "lib/input/image/feature_network.h"
#include "lib/sampling/control_networks.h"
#include "tests/gpu/on_devices.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/ramp.h"

using namespace lcm;
using gpu::card, gpu::distance, gpu::most_bf16_ratio, gpu::most_f32;

namespace {

const std::vector<std::string> models{"lcm", "sd15", "sdxl"};

UNetInputs inputs_of(const UNetConfig& config, double timestep) {
    UNetInputs inputs;
    inputs.sample = ramp({2, config.in_channels, 8, 16}).sin();
    inputs.timestep = at::full({1}, timestep, at::kFloat);
    inputs.context = ramp({2, 77, config.cross_attention_dim.front()}).mul(timestep).cos();
    if (config.time_cond_proj_dim) inputs.guidance = at::full({2}, 7.0, at::kFloat);
    if (config.text_time) {
        inputs.text_pooled = ramp({2, config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim});
        inputs.time_ids = at::full({2, 6}, 64.0, at::kFloat);
    }
    return inputs;
}

void check_near(const at::Tensor& there, const at::Tensor& here, double most) {
    CHECK(there.device().is_cpu());
    const double found = distance(there, here);
    MESSAGE("relative RMS " << found);
    CHECK(found < most);
}

}  // namespace

TEST_CASE("a UNet on a GPU gives what the CPU gives, also replayed") {
    const c10::InferenceMode no_gradients;
    CHECK(has_graphs());
    for (const std::string& model : models) {
        CAPTURE(model);
        const UNet here = gpu::open(golden_model(model), at::kCPU).unet();
        const UNet exact = gpu::open(golden_model(model), card()).unet();
        const UNet near = gpu::open(golden_model(model), card(), Precision::bf16).unet();
        const UNet rounded = gpu::open(golden_model(model), at::kCPU, Precision::bf16).unet(gpu::each_rounded());
        const UNetInputs first = inputs_of(here.config(), 999), second = inputs_of(here.config(), 250.5);
        for (const UNet* there : {&exact, &near}) {
            const auto most = [&](const UNetInputs& inputs) {
                return there == &exact ? most_f32 : most_bf16_ratio * distance(rounded.forward(inputs), here.forward(inputs));
            };
            const at::Tensor plain = there->forward(first), recorded = there->forward(first), replayed = there->forward(first);
            CHECK(at::equal(plain, recorded));
            CHECK(at::equal(plain, replayed));
            check_near(replayed, here.forward(first), most(first));
            check_near(there->forward(second), here.forward(second), most(second));  // what a record reads is copied in anew
        }
    }
}

TEST_CASE("kept depth and merged tokens on a GPU") {
    const c10::InferenceMode no_gradients;
    const UNet here = gpu::open(golden_model("sd15"), at::kCPU).unet(), there = gpu::open(golden_model("sd15"), card()).unet();
    UNetInputs inputs = inputs_of(here.config(), 999), theirs = inputs;
    inputs.deep = here.evaluate(inputs).deep;
    theirs.deep = there.evaluate(theirs).deep;
    for (int i = 0; i < 3; ++i) check_near(there.forward(theirs), here.forward(inputs), most_f32);
    inputs.deep = theirs.deep = at::Tensor();
    // Tokens that are nearly equally alike may be merged the other way: what is left is less than what merging changes.
    const at::Tensor whole = here.forward(inputs);
    inputs.token_merge = theirs.token_merge = 0.5;
    const at::Tensor merged = here.forward(inputs);
    check_near(there.forward(theirs), merged, distance(merged, whole));
}

TEST_CASE("a VAE on a GPU, both halves") {
    const c10::InferenceMode no_gradients;
    for (const std::string model : {"lcm", "sdxl", "taesd"}) {
        CAPTURE(model);
        const auto open = [&](at::Device device, Precision precision) {
            ModelFiles files;
            files.path = golden_model(model == "taesd" ? "sd15" : model);
            if (model == "taesd") files.parts[Part::vae] = golden_model("taesd");
            files.device = device;
            files.precision = precision;
            return Bundle::open(files).vae();
        };
        const auto here = open(at::kCPU, Precision::f32), rounded = open(at::kCPU, Precision::bf16);
        const at::Tensor latents = ramp({1, here->latent_channels(), 8, 12}), pixels = ramp({1, 3, 64, 64});
        for (const Precision precision : {Precision::f32, Precision::bf16}) {
            const auto there = open(card(), precision);
            const auto most = [&](const at::Tensor& near, const at::Tensor& exact) {
                return precision == Precision::f32 ? most_f32 : most_bf16_ratio * distance(near, exact);
            };
            const at::Tensor decoded = here->decode(latents), mean = here->encode(pixels).mean;
            check_near(there->decode(latents), decoded, most(rounded->decode(latents), decoded));
            check_near(there->encode(pixels).mean, mean, most(rounded->encode(pixels).mean, mean));
        }
    }
}

TEST_CASE("text encoders on a GPU") {
    const c10::InferenceMode no_gradients;
    for (const auto& [model, part] : {std::pair("sd15", Part::text_encoder), std::pair("sdxl", Part::text_encoder_2)}) {
        const auto here = gpu::open(golden_model(model), at::kCPU).text_encoder(part);
        const auto there = gpu::open(golden_model(model), card()).text_encoder(part);
        const at::Tensor ids = at::arange(77, at::kLong).remainder(here.config().vocab_size).unsqueeze(0);
        const CLIPTextOutputs ours = here.forward(ids), theirs = there.forward(ids);
        check_near(theirs.last_hidden_state, ours.last_hidden_state, most_f32);
        check_near(theirs.pooled, ours.pooled, most_f32);
        check_near(there.final_layer_norm(theirs.hidden_states.at(1)), here.final_layer_norm(ours.hidden_states.at(1)), most_f32);
        if (ours.text_embeds.defined()) check_near(theirs.text_embeds, ours.text_embeds, most_f32);
    }
}

TEST_CASE("networks that steer leave what they say on the GPU") {
    const c10::InferenceMode no_gradients;
    const UNetConfig unet = UNetConfig::from_json(read_json_file(golden_model("sd15") + "/unet/config.json"));
    const SteeredUNet there(unet, card());
    UNetInputs inputs = inputs_of(unet, 500);
    const at::Tensor map = ramp({1, 3, 64, 128}).add(1).div(2);
    const auto our_net = open_controlnet(golden_model("controlnet"), unet), their_net = open_controlnet(golden_model("controlnet"), there);
    const auto ours = our_net->forward(inputs, our_net->embed(map)), theirs = their_net->forward(inputs, their_net->embed(map));
    CHECK(theirs.middle.is_cuda());
    CHECK(distance(theirs.middle, ours.middle) < most_f32);
    const auto states = open_t2i_adapter(golden_model("t2iadapter"), unet)->forward(map);
    const auto their_states = open_t2i_adapter(golden_model("t2iadapter"), there)->forward(map);
    CHECK(distance(their_states.back(), states.back()) < most_f32);
    // Both at once, in a UNet that is told of them by either device.
    const UNet here = gpu::open(golden_model("sd15"), at::kCPU).unet(), on_card = gpu::open(golden_model("sd15"), card()).unet();
    UNetInputs steered = inputs;
    inputs.down_residuals = ours.down;
    inputs.middle_residual = ours.middle;
    steered.down_residuals = theirs.down;
    steered.middle_residual = theirs.middle;
    steered.adapter_states = their_states;
    inputs.adapter_states = states;
    for (int i = 0; i < 3; ++i) check_near(on_card.forward(steered), here.forward(inputs), most_f32);
}

TEST_CASE("networks that describe pictures on a GPU") {
    const c10::InferenceMode no_gradients;
    Image picture{.width = 80, .height = 60, .channels = 3, .pixels = {}};
    for (int i = 0; i < 80 * 60 * 3; ++i) picture.pixels.push_back(static_cast<std::uint8_t>(i * 7 % 251));
    const std::string file = std::string(std::getenv("LCM_SOURCE_ROOT")) + "/lib/models/efficientnet-lite0/model.safetensors";
    const std::string folder = golden_model("ip-adapter") + "/models/image_encoder";
    check_near((*open_efficientnet(file, card()))(picture), (*open_efficientnet(file))(picture), most_f32);
    check_near((*open_image_encoder(folder, card()))(picture), (*open_image_encoder(folder))(picture), most_f32);
}
