#include "lib/core/bundle/checkpoint.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <doctest/doctest.h>

#include "lib/core/bundle/bundle.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/ramp.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

at::Tensor noise_of(const Bundle& bundle, std::int64_t pooled) {
    UNetInputs inputs;
    inputs.sample = ramp({1, 4, 8, 8});
    inputs.timestep = at::full({1}, 500, at::kLong);
    inputs.context = ramp({1, 77, bundle.config(Part::unet).at("cross_attention_dim").as_integer()});
    if (pooled > 0) {
        inputs.text_pooled = ramp({1, pooled});
        inputs.time_ids = ramp({1, 6});
    }
    return bundle.unet().forward(inputs);
}

at::Tensor text_of(const Bundle& bundle, Part part) {
    const at::Tensor ids = ramp({1, 77}).mul(400).add(500).to(at::kLong);
    const auto out = bundle.text_encoder(part).forward(ids);
    return out.text_embeds.defined() ? out.text_embeds : out.last_hidden_state;
}

Bundle open_with_config(const std::string& file, const std::string& config) {
    ModelFiles files;
    files.path = file;
    files.config = config;
    return Bundle::open(files);
}

}  // namespace

TEST_CASE("a checkpoint gives the same bytes as its folder") {
    for (const std::string name : {"sd15", "sdxl"}) {
        INFO("model ", name);
        const bool xl = name == "sdxl";
        const Bundle folder = Bundle::open(golden_model(name)), file = Bundle::open(golden_model(name) + ".safetensors");
        CHECK(file.is_file());
        CHECK(file.arch() == name);
        CHECK(file.tokenizer_path() == golden_model(name) + "/tokenizer");  // the folder of its name stands beside it
        CHECK(at::equal(noise_of(folder, xl ? 48 : 0), noise_of(file, xl ? 48 : 0)));
        CHECK(at::equal(text_of(folder, Part::text_encoder), text_of(file, Part::text_encoder)));
        CHECK(file.has(Part::text_encoder_2) == xl);
        if (xl) CHECK(at::equal(text_of(folder, Part::text_encoder_2), text_of(file, Part::text_encoder_2)));
        CHECK(at::equal(folder.vae()->decode(ramp({1, 4, 4, 4})), file.vae()->decode(ramp({1, 4, 4, 4}))));
        CHECK(at::equal(folder.vae()->encode(ramp({1, 3, 16, 16})).mean, file.vae()->encode(ramp({1, 3, 16, 16})).mean));
    }
}

namespace {

/// A copy of the small SD 1.5 checkpoint with its folder of configuration beside it, in which `from` is written as `to` (equally long).
std::string spoilt(const TemporaryFolder& folder, const std::string& from, const std::string& to, const std::string& name = "sd15") {
    std::string bytes = read_file(golden_model(name) + ".safetensors");
    const std::size_t at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    REQUIRE(from.size() == to.size());
    return write_file(folder / "model.safetensors", bytes.replace(at, from.size(), to));
}

/// The same in the shape or type of tensor `tensor`.
std::string spoilt_entry(const TemporaryFolder& folder, const std::string& tensor, const std::string& from, const std::string& to,
                         const std::string& name = "sd15") {
    std::string bytes = read_file(golden_model(name) + ".safetensors");
    const std::size_t entry = bytes.find("\"" + tensor + "\""), at = bytes.find(from, entry);
    REQUIRE(entry != std::string::npos);
    REQUIRE(at < entry + tensor.size() + 80);
    return write_file(folder / "model.safetensors", bytes.replace(at, from.size(), to));
}

void build_all(const Bundle& bundle) {
    bundle.unet();
    bundle.vae();
    for (const Part part : {Part::text_encoder, Part::text_encoder_2})
        if (bundle.has(part)) bundle.text_encoder(part);
}

}  // namespace

TEST_CASE("broken checkpoints name file and tensor") {
    const TemporaryFolder folder;
    const std::string config = golden_model("sd15"), unet = "model.diffusion_model.", text = "cond_stage_model.transformer.text_model.";
    const auto refused = [&](const std::string& file, std::initializer_list<std::string_view> says, const std::string& with = {}) {
        const auto open = [&] { build_all(open_with_config(file, with.empty() ? config : with)); };
        check_error(ExitCode::data, {file}, open);
        check_error(ExitCode::data, says, open);
    };
    refused(spoilt(folder, "\"betas\"", "\"betos\""), {"belongs to no part", "betos"});
    refused(spoilt(folder, unet + "time_embed.0.weight", unet + "time_embed.1.weight"), {unet + "time_embed.0.weight", "missing"});
    refused(spoilt(folder, unet + "input_blocks.1.0.in_layers.2.bias", unet + "input_blocks.1.0.in_layers.3.bias"), {"in_layers.2.bias"});
    refused(spoilt(folder, "first_stage_model.decoder.mid.attn_1.k.bias", "first_stage_model.decoder.mid.attn_1.x.bias"),
            {"attn_1.k.bias"});
    refused(spoilt(folder, text + "final_layer_norm.bias", text + "final_layer_nurm.bias"), {"final_layer_norm.bias"});
    refused(spoilt_entry(folder, unet + "time_embed.0.weight", "[64,16]", "[16,64]"), {unet + "time_embed.0.weight", "[16,64]", "[64,16]"});
    refused(spoilt_entry(folder, unet + "time_embed.0.weight", "F32", "I32"), {unet + "time_embed.0.weight", "I32"});
    refused(spoilt(folder, "embedders.1.model.transformer.resblocks.0.attn.in_proj_bias",
                   "embedders.1.model.transformer.resblocks.0.attn.in_prej_bias", "sdxl"),
            {"in_proj_bias", "missing"}, golden_model("sdxl"));
    refused(
        spoilt_entry(folder, "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight", "[144,48]", "[48,144]", "sdxl"),
        {"in_proj_weight", "[48,144]", "[144,48]"}, golden_model("sdxl"));
    refused(write_file(folder / "model.safetensors", read_file(config + ".safetensors")), {"cond_proj.weight", "missing"},
            golden_model("lcm"));
    refused(write_file(folder / "short.safetensors", read_file(config + ".safetensors").substr(0, 200000)), {"truncated"});
    refused(write_file(folder / "twice.safetensors", safetensors_bytes({{text + "embeddings.token_embedding.weight", "F32", {1}, zeros(4)},
                                                                        {"cond_stage_model.other.weight", "F32", {1}, zeros(4)}})),
            {"belongs to no part", "cond_stage_model.other.weight"});
    refused(write_file(folder / "none.safetensors", safetensors_bytes({{"some.weight", "F32", {1}, zeros(4)}})), {"holds no part"});
    refused(golden_model("sd15") + "/unet/diffusion_pytorch_model.safetensors", {"holds no part"});
}

TEST_CASE("what no configuration and no published shape tells is refused") {
    const TemporaryFolder folder;
    const std::string file = write_file(folder / "model.safetensors", read_file(golden_model("sd15") + ".safetensors"));
    check_error(ExitCode::data, {file, "no published family", "attention heads"}, [&] { Bundle::open(file); });
    check_error(ExitCode::no_input, {folder / "absent"}, [&] { open_with_config(file, folder / "absent"); });
    const std::string pickle = write_file(folder / "model.ckpt", std::string("PK\3\4", 4) + std::string(40, 'x'));
    check_error(ExitCode::refused, {pickle, "zip"}, [&] { Bundle::open(pickle); });
    fs::create_directories(folder / "config");
    fs::copy(golden_model("sd15"), folder / "config", fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    fs::remove_all(folder / "config/tokenizer");
    const Bundle bundle = open_with_config(file, folder / "config");
    check_error(ExitCode::no_input, {file, "no tokenizer", "1000"}, [&] { bundle.tokenizer_path(); });
}

TEST_CASE("parts from other files") {
    ModelFiles files;
    files.path = golden_model("sd15");
    files.parts[Part::vae] = golden_model("taesd") + "/diffusion_pytorch_model.safetensors";
    CHECK(Bundle::open(files).vae()->scaling_factor() == 1);
    files.parts[Part::vae] = golden_model("taesd");
    CHECK(Bundle::open(files).latent_format().scaling_factor == 1);
    files.parts[Part::vae] = golden_model("sd15") + "/unet/diffusion_pytorch_model.safetensors";
    check_error(ExitCode::data, {files.parts[Part::vae], "no vae"}, [&] { Bundle::open(files); });
    files.parts[Part::vae] = golden_model("sd15") + "/tokenizer";
    check_error(ExitCode::no_input, {"tokenizer/config.json"}, [&] { Bundle::open(files); });
    files.parts = {{Part::unet, golden_model("sdxl") + "/unet/diffusion_pytorch_model.safetensors"}};
    CHECK(Bundle::open(files).arch() == "sdxl");
}

TEST_CASE("the prediction type is the user's, the model's or the family's") {
    ModelFiles files;
    files.path = golden_model("sd15");
    files.prediction_type = "v_prediction";
    CHECK(Bundle::open(files).scheduler_config().at("prediction_type").as_string() == "v_prediction");
    files.prediction_type = "noise";
    check_error(ExitCode::usage, {"--prediction-type", "noise"}, [&] { Bundle::open(files); });

    const TemporaryFolder folder;
    const WeightFile plain(write_file(folder / "plain.safetensors", safetensors_bytes({{"x", "F32", {1}, zeros(4)}})));
    const WeightFile marked(
        write_file(folder / "marked.safetensors", safetensors_bytes({{"v_pred", "F32", {1}, zeros(4)}, {"ztsnr", "F32", {1}, zeros(4)}})));
    CHECK(published_scheduler(plain, "sd15").at("prediction_type").as_string() == "epsilon");
    CHECK(published_scheduler(plain, "sdxl").at("prediction_type").as_string() == "epsilon");
    CHECK(published_scheduler(plain, "sd2").is_null());
    CHECK(published_scheduler(marked, "sdxl").at("prediction_type").as_string() == "v_prediction");
    CHECK(published_scheduler(marked, "sdxl").at("rescale_betas_zero_snr").as_bool());
}
