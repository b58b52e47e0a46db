#include "lib/sampling/denoiser.h"

#include <ATen/ops/full.h>
#include <doctest/doctest.h>

#include <csignal>
#include <limits>

#include "lib/base/stop.h"
#include "lib/sampling/sampler.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/sampling/denoise_support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

void check_refused(ExitCode code, std::initializer_list<std::string_view> words, const DenoiseRequest& request) {
    check_error(code, words, [&] { denoise(Model::lcm(), conditioning(Model::lcm()), request); });
}

DenoiseRequest sized(std::int64_t width, std::int64_t height) {
    DenoiseRequest request;
    request.width = width;
    request.height = height;
    return request;
}

DenoiseRequest start_only() {
    DenoiseRequest request = small(2);
    request.to = 0;
    return request;
}

}  // namespace

TEST_CASE("a finished record says how it was made") {
    const Model& model = Model::lcm();
    const Record record = denoise(model, conditioning(model), small(2));
    CHECK(record.at(key::kind) == "latent");
    CHECK(record.at(key::sampler) == "lcm");
    CHECK(record.at(key::schedule) == SchedulerConfig().to_json(sampler_kind("lcm", ExitCode::data, "").settings));
    CHECK(record.at(key::steps) == "2");
    CHECK(record.at(key::step) == "2");
    CHECK(record.at(key::timesteps) == "[999,499]");
    CHECK(record.at(key::guidance) == "2.5");
    CHECK(record.at(key::seed) == "77");
    CHECK(record.at(key::rng) == "torch-cpu");
    CHECK(record.at(key::arch) == "sd15");
    CHECK(record.at(key::model) == "lcm");
    CHECK(record.at(key::unet_sha256) == model.bundle.sha256(Part::unet));
    CHECK(record.at(key::vae_scale) == "0.18215");
    CHECK(record.at(key::latent_space) == "scaled");
    CHECK(record.at(key::layout) == "CHW");
    CHECK(record.at(key::size) == "72x40");
    CHECK(record.at(key::precision) == "f32");
    CHECK_FALSE(record.find(key::timestep));
    CHECK_FALSE(record.find(key::rng_draws));
    CHECK_FALSE(record.tensors.contains(tensor::rng_state));
    CHECK_FALSE(record.tensors.contains(tensor::latent_denoised));
    CHECK(record.tensor(tensor::latent).dtype == Dtype::F32);
    CHECK(record.tensor(tensor::latent).shape == std::vector<std::int64_t>{4, 5, 9});
}

TEST_CASE("what the request leaves open comes from the model, and is recorded") {
    const Model& model = Model::lcm();
    const Record record = denoise(model, conditioning(model), {});
    const Defaults defaults = model.bundle.defaults();
    CHECK(record.at(key::steps) == std::to_string(defaults.steps));
    CHECK(record.at(key::size) == std::to_string(defaults.width) + "x" + std::to_string(defaults.height));
    CHECK(record.at(key::guidance) == "8");
    CHECK(record.at(key::seed) == "0");
}

TEST_CASE("tensors and keys that denoising does not know stay as they are") {
    Record input = conditioning(Model::lcm());
    input.set("lcm.id", "a");
    input.set("other.key", "b");
    input.tensors.emplace("other.tensor", make_tensor(Dtype::F4, {2}, Bytes(1)));
    const Record output = denoise(Model::lcm(), input, small(1));
    CHECK(output.at("lcm.id") == "a");
    CHECK(output.at("other.key") == "b");
    CHECK(output.at(key::prompt) == "none");
    for (const auto& [name, bytes] : input.tensors) CHECK(same_tensor(output.tensor(name), bytes));
}

TEST_CASE("the start is the generator's first draw") {
    const Record record = denoise(Model::lcm(), conditioning(Model::lcm()), start_only());
    NoiseGenerator noise(77);
    CHECK(same_tensor(record.tensor(tensor::latent), from_torch(noise.normal({1, 4, 5, 9}).squeeze(0))));
    CHECK(same_tensor(record.tensor(tensor::rng_state), noise.state()));
    CHECK(record.at(key::rng_draws) == "1");
    CHECK(record.at(key::step) == "0");
    CHECK(record.at(key::timestep) == "999");
    CHECK_FALSE(record.tensors.contains(tensor::latent_denoised));
}

TEST_CASE("noise of the record replaces the start draw, sets the size, and is consumed") {
    Record input = conditioning(Model::lcm());
    input.set(key::kind, std::string(kind::noise));
    const TensorBytes start = from_torch(NoiseGenerator(5).normal({4, 5, 9}));
    input.tensors.emplace(tensor::noise, start);
    DenoiseRequest request = start_only();
    request.width.reset();
    request.height.reset();
    const Record record = denoise(Model::lcm(), input, request);
    CHECK(same_tensor(record.tensor(tensor::latent), start));
    CHECK(same_tensor(record.tensor(tensor::rng_state), NoiseGenerator(77).state()));
    CHECK(record.at(key::rng_draws) == "0");
    CHECK(record.at(key::size) == "72x40");
    CHECK_FALSE(record.tensors.contains(tensor::noise));

    request.width = 64;
    check_error(ExitCode::usage, {"width", "72x40"}, [&] { denoise(Model::lcm(), input, request); });
    input.set(key::size, "64x40");
    check_error(ExitCode::data, {"noise", "[4,5,9]", "[4,5,8]"}, [&] { denoise(Model::lcm(), input, request); });
}

TEST_CASE("a guidance scale of 1 needs no negative conditioning, a larger one does") {
    Record input = conditioning(Model::sd15());
    input.tensors.erase(std::string(tensor::text_negative_embeds));
    DenoiseRequest request = small(1);
    check_error(ExitCode::data, {"text.negative.embeds"}, [&] { denoise(Model::sd15(), input, request); });
    request.guidance = 1;
    CHECK(denoise(Model::sd15(), input, request).at(key::guidance) == "1");
}

TEST_CASE("observers hear of every step") {
    StepList list;
    Model::lcm().denoiser.denoise(conditioning(Model::lcm()), small(2), 6, list);
    CHECK(list.seen == std::vector<std::vector<int>>{{6, 1, 2}, {6, 2, 2}});
}

TEST_CASE("sizes a model cannot make are refused") {
    check_refused(ExitCode::usage, {"60x64", "multiples of 8"}, sized(60, 64));
    check_refused(ExitCode::usage, {"64x0"}, sized(64, 0));
    check_refused(ExitCode::usage, {"-8"}, sized(-8, 64));
    check_refused(ExitCode::refused, {"16392x8", "16384"}, sized(16392, 8));
    check_refused(ExitCode::refused, {"8192x8192", "64000000"}, sized(8192, 8192));
    check_refused(ExitCode::refused, {"limit"}, sized(INT64_MAX / 8 * 8, 64));
}

TEST_CASE("requests that make no sense are refused") {
    const auto refused = [](std::initializer_list<std::string_view> words, const auto& change) {
        DenoiseRequest request = small(2);
        change(request);
        check_refused(ExitCode::usage, words, request);
    };
    refused({"steps"}, [](DenoiseRequest& r) { r.steps = 0; });
    refused({"51", "50"}, [](DenoiseRequest& r) { r.steps = 51; });
    refused({"original steps"}, [](DenoiseRequest& r) { r.original_steps = 0; });
    refused({"timesteps"}, [](DenoiseRequest& r) { r.timesteps.emplace(); });
    refused({"2 steps", "list of 3"}, [](DenoiseRequest& r) { r.timesteps = {{999, 499, 19}}; });
    refused({"guidance"}, [](DenoiseRequest& r) { r.guidance = std::numeric_limits<double>::infinity(); });
    refused({"from", "step 0"}, [](DenoiseRequest& r) { r.from = 1; });
    refused({"to", "0..2"}, [](DenoiseRequest& r) { r.to = 3; });
}

TEST_CASE("custom timesteps set the number of steps and are recorded with the schedule") {
    DenoiseRequest request = small(1);
    request.steps.reset();
    request.timesteps = {{999, 499, 19}};
    const Record record = denoise(Model::lcm(), conditioning(Model::lcm()), request);
    CHECK(record.at(key::steps) == "3");
    CHECK(record.at(key::timesteps) == "[999,499,19]");
    CHECK(record.at(key::schedule).find("\"timesteps\":[999,499,19]") != std::string::npos);
}

TEST_CASE("records that do not fit the model are refused") {
    const auto refused = [](std::initializer_list<std::string_view> words, const auto& change) {
        Record record = conditioning(Model::sd15());
        change(record);
        check_error(ExitCode::data, words, [&] { denoise(Model::sd15(), record, small(1)); });
    };
    const auto put = [](Record& record, std::string_view name, std::vector<std::int64_t> shape, double value = 0) {
        record.tensors.insert_or_assign(std::string(name), from_torch(at::full(shape, value, at::TensorOptions().dtype(at::kFloat))));
    };
    refused({"record 0", "lcm.arch", "sdxl", "sd15"}, [](Record& r) { r.set(key::arch, "sdxl"); });
    refused({"lcm.unet_sha256", "abc"}, [](Record& r) { r.set(key::unet_sha256, "abc"); });
    refused({"lcm.vae_scale", "0.13025"}, [](Record& r) { r.set(key::vae_scale, "0.13025"); });
    refused({"text.embeds"}, [](Record& r) { r.tensors.erase(std::string(tensor::text_embeds)); });
    refused({"text.embeds", "width 768"}, [&](Record& r) { put(r, tensor::text_embeds, {7, 768}); });
    refused({"text.embeds", "[tokens, width]"}, [&](Record& r) { put(r, tensor::text_embeds, {7}); });
    refused({"9 tokens", "7"}, [&](Record& r) {
        put(r, tensor::text_embeds, {9, Model::sd15().bundle.config(Part::unet).at("cross_attention_dim").as_integer()});
    });
    refused({"pooled"}, [&](Record& r) { put(r, tensor::text_pooled, {16}); });
    refused({"latent.mask", "latent.init"}, [&](Record& r) { put(r, tensor::latent_mask, {1, 5, 9}); });
    refused({"kind", "image"}, [](Record& r) { r.set(key::kind, "image"); });
    refused({"kind", "latent"}, [](Record& r) { r.set(key::kind, "latent"); });
    refused({"noise", "[4,5,9]"}, [&](Record& r) { put(r, tensor::noise, {1, 4, 5, 9}); });
    refused({"UNet's output", "timestep 999"}, [&](Record& r) {
        const std::vector<std::int64_t> shape = r.tensor(tensor::text_embeds).shape;
        put(r, tensor::text_embeds, shape, std::numeric_limits<double>::quiet_NaN());
    });
}

TEST_CASE("a stop request ends the run before its next step") {
    request_stop(SIGTERM);
    StepList list;
    CHECK_THROWS_AS(Model::lcm().denoiser.denoise(conditioning(Model::lcm()), small(2), 0, list), Stopped);
    request_stop(0);
    CHECK(list.seen.empty());
}
