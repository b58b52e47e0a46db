#include "lib/optimize/inspect.h"

#include <doctest/doctest.h>

#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> block_names(const PartReport& part) {
    std::vector<std::string> names;
    for (const BlockReport& block : part.blocks) names.push_back(block.name);
    return names;
}

/// A UNet of four tensors in two types, with a hostile configuration value.
std::string tiny_model(const TemporaryFolder& folder) {
    write_file(folder / "m/unet/config.json", R"({"_class_name": "UNet\u001b[2J", "sample_size": 8, "block_out_channels": [4, 8]})");
    write_file(folder / "m/unet/diffusion_pytorch_model.safetensors",
               safetensors_bytes({{"up_blocks.0.conv.weight", "F16", {2, 3}, zeros(12)},
                                  {"conv_in.weight", "F32", {4}, zeros(16)},
                                  {"down_blocks.10.conv.weight", "F16", {1}, zeros(2)},
                                  {"down_blocks.2.conv.weight", "F32", {1}, zeros(4)}}));
    return folder / "m";
}

}  // namespace

TEST_CASE("the shipped model is a full LCM of known size") {
    const ModelReport report = inspect(Bundle::open(shipped_model(), "emoji-128"));
    CHECK(report.model == "emoji-128");
    CHECK(report.family == "sd15");
    CHECK(report.full_lcm);
    CHECK(report.defaults.at("guidance").as_number() == 5);
    CHECK(report.defaults.at("width").as_integer() == 128);
    CHECK(report.scheduler.at("_class_name").as_string() == "LCMScheduler");
    REQUIRE(report.parts.size() == 3);
    CHECK(report.parts[0].name == "text_encoder");
    CHECK(report.parts[0].class_name == "CLIPTextModel");
    CHECK(report.parts[1].class_name == "UNet2DConditionModel");
    CHECK(report.parts[2].class_name == "AutoencoderTiny");
    CHECK(block_names(report.parts[0]) ==
          std::vector<std::string>{"embeddings", "layers.0", "layers.1", "layers.2", "layers.3", "final_layer_norm"});
    CHECK(block_names(report.parts[1]) == std::vector<std::string>{"conv_in", "time_embedding", "down_blocks.0", "down_blocks.1",
                                                                   "down_blocks.2", "mid_block", "up_blocks.0", "up_blocks.1",
                                                                   "up_blocks.2", "conv_norm_out", "conv_out"});
    CHECK(block_names(report.parts[2]) == std::vector<std::string>{"encoder", "decoder"});
    CHECK(report.count.dtypes == std::map<std::string, std::uint64_t>{{"F16", report.count.parameters}});
    CHECK(report.count.bytes == 2 * report.count.parameters);
}

TEST_CASE("blocks add up to parts, parts to the model, and bytes to the files") {
    for (const std::string& path : {golden_model("lcm"), golden_model("sd15"), golden_model("sdxl"), shipped_model()}) {
        INFO("model ", path);
        const ModelReport report = inspect(Bundle::open(path));
        std::uint64_t model = 0;
        for (const PartReport& part : report.parts) {
            std::uint64_t parameters = 0, bytes = 0;
            for (const BlockReport& block : part.blocks) {
                parameters += block.count.parameters;
                bytes += block.count.bytes;
            }
            CHECK(parameters == part.count.parameters);
            CHECK(bytes == part.count.bytes);
            const std::uint64_t file = fs::file_size(path + "/" + part.name + "/" + part.files.at(0));
            CHECK(bytes < file);
            CHECK(file - bytes < 128 * 1024);  // the header
            model += bytes;
        }
        CHECK(model == report.count.bytes);
    }
}

TEST_CASE("two text encoders are reported, old names fall into the same blocks") {
    const ModelReport report = inspect(Bundle::open(golden_model("sdxl")));
    CHECK(report.family == "sdxl");
    CHECK_FALSE(report.full_lcm);
    REQUIRE(report.parts.size() == 4);
    CHECK(report.parts[1].name == "text_encoder_2");
    CHECK(block_names(report.parts[1]).front() == "embeddings");
    CHECK(block_names(report.parts[1]).back() == "text_projection");
    CHECK(block_names(report.parts[3]) == std::vector<std::string>{"encoder", "quant_conv", "post_quant_conv", "decoder"});
}

TEST_CASE("the text report is an aligned table without control characters") {
    const TemporaryFolder folder;
    const std::string text = report_text(inspect(Bundle::open(tiny_model(folder), "tiny")));
    CHECK(text ==
          "model       tiny\n"
          "family      sd15\n"
          "defaults    guidance=1 height=64 steps=4 width=64\n"
          "parameters  12 in 34 bytes, F16 F32\n"
          "\n"
          "unet  UNet\\x1B[2J  diffusion_pytorch_model.safetensors\n"
          "  block_out_channels            [4,8]\n"
          "  sample_size                   8\n"
          "  block           parameters  bytes  dtypes\n"
          "  conv_in                  4     16  F32\n"
          "  down_blocks.2            1      4  F32\n"
          "  down_blocks.10           1      2  F16\n"
          "  up_blocks.0              6     12  F16\n"
          "  total                   12     34  F16 F32\n");
}

TEST_CASE("the JSON report is one stable line") {
    const TemporaryFolder folder;
    const std::string text = report_json(inspect(Bundle::open(tiny_model(folder), "tiny")));
    CHECK(text ==
          R"({"count":{"bytes":34,"dtypes":{"F16":7,"F32":5},"parameters":12},"defaults":{"guidance":1,"height":64,"steps":4,"width":64},)"
          R"("family":"sd15","full_lcm":false,"model":"tiny","parts":[{"blocks":[)"
          R"({"count":{"bytes":16,"dtypes":{"F32":4},"parameters":4},"name":"conv_in"},)"
          R"({"count":{"bytes":4,"dtypes":{"F32":1},"parameters":1},"name":"down_blocks.2"},)"
          R"({"count":{"bytes":2,"dtypes":{"F16":1},"parameters":1},"name":"down_blocks.10"},)"
          R"({"count":{"bytes":12,"dtypes":{"F16":6},"parameters":6},"name":"up_blocks.0"}],)"
          R"("class":"UNet\u001b[2J","config":{"block_out_channels":[4,8],"sample_size":8},)"
          R"("count":{"bytes":34,"dtypes":{"F16":7,"F32":5},"parameters":12},)"
          R"("files":["diffusion_pytorch_model.safetensors"],"name":"unet"}],)"
          R"("scheduler":{}})"
          "\n");
}

TEST_CASE("a model without a UNet has no family, and position ids are shown as unused") {
    const TemporaryFolder folder;
    write_file(folder / "text_encoder/config.json", R"({"architectures": ["CLIPTextModel"]})");
    write_file(folder / "text_encoder/model.safetensors",
               safetensors_bytes({{"text_model.embeddings.position_ids", "I64", {1, 2}, zeros(16)},
                                  {"text_model.encoder.layers.11.mlp.fc1.bias", "F32", {1}, zeros(4)}}));
    const ModelReport report = inspect(Bundle::open(folder.path()));
    CHECK(report.family.empty());
    CHECK(report.defaults.empty());
    REQUIRE(report.parts.size() == 1);
    CHECK(block_names(report.parts[0]) == std::vector<std::string>{"layers.11", "unused"});
    CHECK(report_text(report).find("unknown (no UNet)") != std::string::npos);
}

TEST_CASE("broken weights stop the report and name the file") {
    const TemporaryFolder folder;
    const std::string path = write_file(tiny_model(folder) + "/unet/diffusion_pytorch_model.safetensors", "GGUF\x03....");
    check_error(ExitCode::data, {path, "GGUF"}, [&] { inspect(Bundle::open(folder / "m")); });
}
