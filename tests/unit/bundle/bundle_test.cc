#include "lib/core/bundle/bundle.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include "lib/base/bytes.h"
#include "lib/base/sha256.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

/// A folder with a UNet configuration and nothing else.
Bundle unet_only(const TemporaryFolder& folder, const std::string& config) {
    write_file(folder / "unet/config.json", config);
    return Bundle::open(folder.path());
}

}  // namespace

TEST_CASE("the shipped model opens by its own files") {
    const Bundle bundle = Bundle::open(shipped_model(), "emoji-128");
    CHECK(bundle.name() == "emoji-128");
    CHECK(bundle.path() == shipped_model());
    CHECK(bundle.arch() == "sd15");
    CHECK(bundle.tokenizer_path() == shipped_model() + "/tokenizer");
    CHECK(bundle.index().at("_class_name").as_string() == "LatentConsistencyModelPipeline");
    CHECK(bundle.scheduler_config().at("_class_name").as_string() == "LCMScheduler");
    const Defaults defaults = bundle.defaults();  // lcm.json
    CHECK(defaults.width == 128);
    CHECK(defaults.height == 128);
    CHECK(defaults.steps == 4);
    CHECK(defaults.guidance == 5);
}

TEST_CASE("defaults without lcm.json come from the configuration") {
    const Defaults full = Bundle::open(golden_model("lcm")).defaults();  // sample_size 8, four stages of the VAE
    CHECK(full.width == 64);
    CHECK(full.height == 64);
    CHECK(full.steps == 4);
    CHECK(full.guidance == 8);  // time_cond_proj_dim
    CHECK(Bundle::open(golden_model("sd15")).defaults().guidance == 1);
}

TEST_CASE("lcm.json may name some values and is checked") {
    const TemporaryFolder folder;
    const Bundle bare = unet_only(folder, R"({"sample_size": [32, 16]})");
    CHECK(bare.defaults().height == 256);  // 8 pixels a latent without a VAE configuration
    CHECK(bare.defaults().width == 128);
    write_file(folder / "lcm.json", R"({"steps": 8, "width": 320})");
    const Defaults defaults = Bundle::open(folder.path()).defaults();
    CHECK(defaults.steps == 8);
    CHECK(defaults.width == 320);
    CHECK(defaults.height == 256);
    for (const char* bad :
         {R"({"steps": 0})", R"({"width": -8})", R"({"height": 1000000})", R"({"guidance": -1})", R"({"steps": "4"})", "[]", "{"}) {
        write_file(folder / "lcm.json", bad);
        CAPTURE(bad);
        check_error(ExitCode::data, {"lcm.json"}, [&] { Bundle::open(folder.path()).defaults(); });
    }
}

TEST_CASE("the size of a latent follows the stages of the VAE") {
    const TemporaryFolder folder;
    write_file(folder / "vae/config.json", R"({"_class_name": "AutoencoderKL", "block_out_channels": [8, 16, 16]})");
    CHECK(unet_only(folder, R"({"sample_size": 16})").defaults().width == 64);
    write_file(folder / "vae/config.json",
               R"({"_class_name": "AutoencoderTiny", "encoder_block_out_channels": [8, 8], "block_out_channels": [8]})");
    CHECK(Bundle::open(folder.path()).defaults().width == 32);
    write_file(folder / "vae/config.json", R"({"_class_name": "AutoencoderKL", "block_out_channels": []})");
    check_error(ExitCode::data, {"vae/config.json", "block_out_channels"}, [&] { Bundle::open(folder.path()).defaults(); });
}

TEST_CASE("the family follows the UNet's configuration") {
    const TemporaryFolder folder;
    CHECK(unet_only(folder, R"({"cross_attention_dim": 768})").arch() == "sd15");
    CHECK(unet_only(folder, R"({"cross_attention_dim": 1024})").arch() == "sd2");
    CHECK(unet_only(folder, R"({"cross_attention_dim": [1024, 1024]})").arch() == "sd2");
    CHECK(unet_only(folder, R"({"cross_attention_dim": 2048, "addition_embed_type": "text_time"})").arch() == "sdxl");
    CHECK(Bundle::open(golden_model("sdxl")).arch() == "sdxl");
}

TEST_CASE("a missing part is an error for who asks for it") {
    const TemporaryFolder folder;
    const Bundle bundle = unet_only(folder, "{}");
    CHECK(bundle.has(Part::unet));
    CHECK_FALSE(bundle.has(Part::vae));
    CHECK(bundle.index().is_null());
    CHECK(bundle.scheduler_config().is_null());
    CHECK(bundle.name() == folder.path());
    check_error(ExitCode::no_input, {"vae/config.json", "the model has no vae"}, [&] { bundle.vae(); });
    check_error(ExitCode::no_input, {"the model has no text_encoder"}, [&] { bundle.sha256(Part::text_encoder); });
    check_error(ExitCode::no_input, {folder / "unet", "no weights"}, [&] { bundle.weights(Part::unet); });
    fs::rename(folder / "unet", folder / "vae");
    check_error(ExitCode::no_input, {"the model has no unet"}, [&] { Bundle::open(folder.path()).defaults(); });
    check_error(ExitCode::no_input, {"the model has no unet"}, [&] { Bundle::open(folder.path()).arch(); });
}

TEST_CASE("what is no model folder is refused by name") {
    const TemporaryFolder folder;
    check_error(ExitCode::no_input, {folder.path(), "no model folder"}, [&] { Bundle::open(folder.path()); });
    check_error(ExitCode::no_input, {"absent", "no such model"}, [&] { Bundle::open(folder / "absent"); });
    const std::string file = write_file(folder / "model.safetensors", "x");
    check_error(ExitCode::data, {file, "too short"}, [&] { Bundle::open(file); });
    write_file(folder / "model_index.json", "[]");
    check_error(ExitCode::data, {"model_index.json"}, [&] { Bundle::open(folder.path()); });
    write_file(folder / "model_index.json", "{");
    check_error(ExitCode::data, {"model_index.json"}, [&] { Bundle::open(folder.path()); });
}

TEST_CASE("networks are built from golden and shipped weights, with nothing left over") {
    for (const std::string& path : {golden_model("lcm"), golden_model("sd15"), shipped_model()}) {
        INFO("model ", path);
        const Bundle bundle = Bundle::open(path);
        const UNet unet = bundle.unet();
        CHECK(unet.config().sample_size == bundle.config(Part::unet).at("sample_size").as_integer());
        const auto vae = bundle.vae();
        CHECK(bundle.defaults().width % vae->factor() == 0);
        const CLIPTextModel text = bundle.text_encoder();
        const at::Tensor ids = at::zeros({1, text.config().max_position_embeddings}, at::kLong);
        CHECK(text.forward(ids).last_hidden_state.size(2) == bundle.config(Part::text_encoder).at("hidden_size").as_integer());
    }
}

TEST_CASE("the factor of the defaults is the factor of the network") {
    for (const std::string& path : {golden_model("lcm"), shipped_model()}) {
        const TemporaryFolder folder;
        const std::string copy = copy_model(path, folder / "model");
        fs::remove(copy + "/lcm.json");
        const Bundle bundle = Bundle::open(copy);
        CHECK(bundle.defaults().width == bundle.config(Part::unet).at("sample_size").as_integer() * bundle.vae()->factor());
    }
}

TEST_CASE("broken weights of a part name file and tensor") {
    const TemporaryFolder folder;
    const std::string model = copy_model(golden_model("lcm"), folder / "model");
    const std::string weights = model + "/unet/diffusion_pytorch_model.safetensors";
    const std::string whole = read_file(weights);
    const auto build = [&] { Bundle::open(model).unet(); };

    write_file(weights, std::string_view(whole).substr(0, whole.size() / 2));
    check_error(ExitCode::data, {weights, "truncated"}, build);

    std::string renamed = whole;
    renamed.replace(renamed.find("conv_in.weight"), 14, "conv_in.waight");
    write_file(weights, renamed);
    check_error(ExitCode::data, {weights, "tensor \"conv_in.weight\"", "missing"}, build);

    std::string reshaped = whole;
    const std::size_t shape = reshaped.find("[16,4,3,3]", reshaped.find("\"conv_in.weight\""));
    REQUIRE(shape != std::string::npos);
    reshaped.replace(shape, 10, "[4,16,3,3]");
    write_file(weights, reshaped);
    check_error(ExitCode::data, {weights, "tensor \"conv_in.weight\"", "[4,16,3,3]", "[16,4,3,3]"}, build);

    std::string integers = whole;
    const std::size_t dtype = integers.find("\"F32\"", integers.find("\"conv_in.weight\""));
    integers.replace(dtype, 5, "\"I32\"");
    write_file(weights, integers);
    check_error(ExitCode::data, {weights, "tensor \"conv_in.weight\"", "I32"}, build);

    write_file(weights, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 832616\n");
    check_error(ExitCode::data, {weights, "Git-LFS pointer"}, build);

    write_file(weights, "\x80\x02}q\x01(X\x05");
    check_error(ExitCode::refused, {weights, "pickle"}, build);

    fs::remove(weights);
    fs::create_directory(weights);
    check_error(ExitCode::no_input, {weights, "directory"}, build);
}

TEST_CASE("a tensor that no layer uses is an error") {
    const TemporaryFolder folder;
    const std::string model = copy_model(golden_model("lcm"), folder / "model");
    // A second shard beside the whole file: the index takes both.
    fs::rename(model + "/unet/diffusion_pytorch_model.safetensors", model + "/unet/a.safetensors");
    write_file(model + "/unet/b.safetensors", safetensors_bytes({{"surplus.weight", "F32", {1}, zeros(4)}}));
    std::string index;
    const WeightFile whole(model + "/unet/a.safetensors");
    for (const auto& [name, entry] : whole.tensors()) index += "\"" + name + "\":\"a.safetensors\",";
    write_file(model + "/unet/diffusion_pytorch_model.safetensors.index.json",
               "{\"weight_map\":{" + index + "\"surplus.weight\":\"b.safetensors\"}}");
    check_error(ExitCode::data, {model + "/unet/b.safetensors", "not used", "surplus.weight"}, [&] { Bundle::open(model).unet(); });
}

TEST_CASE("a half-precision copy gives the same network up to rounding") {
    const Bundle bundle = Bundle::open(shipped_model());  // stored as F16
    const auto files = bundle.weights(Part::unet);
    REQUIRE(files.size() == 1);
    CHECK((files.front().tensors().at("conv_in.weight").dtype == Dtype::F16));
    CHECK((bundle.unet().config().in_channels == 4));
}

TEST_CASE("a GPU does not multiply bytes") {
    ModelFiles files;
    files.path = golden_model("lcm");
    files.device = at::kCUDA;
    files.precision = Precision::int8;
    check_error(ExitCode::refused, {"GPU", "bf16"}, [&] { Bundle::open(files).unet(); });
}

TEST_CASE("the hash of a part is the SHA-256 of its file") {
    const TemporaryFolder cache;
    ::setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
    const Bundle bundle = Bundle::open(golden_model("lcm"));
    const std::string file = read_file(golden_model("lcm") + "/vae/diffusion_pytorch_model.safetensors");
    CHECK(bundle.sha256(Part::vae) == sha256_hex(as_bytes(file)));
    CHECK(bundle.sha256(Part::unet) != bundle.sha256(Part::vae));
}
