#include "lib/sampling/control_config.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "lib/base/number.h"
#include "lib/core/weights/checkpoint_names.h"
#include "lib/sampling/control_networks.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/ramp.h"
#include "tests/unit/stored_tensors.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

UNetConfig unet_of(const std::string& model) { return UNetConfig::from_json(read_json_file(golden_model(model) + "/unet/config.json")); }

WeightFile network(const std::string& name) { return WeightFile(golden_model(name) + "/diffusion_pytorch_model.safetensors"); }

/// The small ControlNet under its original names.
std::string original_controlnet(const TemporaryFolder& folder, const std::string& prefix) {
    const WeightFile file = network("controlnet");
    std::vector<std::string> ours;
    for (const auto& [name, entry] : file.tensors()) ours.push_back(name);
    std::map<std::string, std::string> theirs;
    for (const auto& [stored, targets] : controlnet_checkpoint_names(ours).stored) theirs[targets.front().name] = stored;
    return write_file(folder / "control.safetensors",
                      renamed_file(file, [&](const std::string& name) { return prefix + theirs.at(name); }));
}

/// The small T2I-Adapter under its original names, whose list of blocks is flat.
std::string original_t2i_adapter(const TemporaryFolder& folder) {
    return write_file(folder / "t2i.safetensors", renamed_file(
                                                      network("t2iadapter"),
                                                      [](std::string name) {
                                                          name.erase(0, std::string("adapter.").size());
                                                          if (!name.starts_with("body.")) return name;
                                                          const std::uint64_t level = parse_u64(name.substr(5, 1)).value();
                                                          if (name.find("in_conv") != name.npos)
                                                              return fmt::format("body.{}.{}", 2 * level, name.substr(7));
                                                          const std::uint64_t layer =
                                                              parse_u64(name.substr(15, 1)).value();  // body.N.resnets.M.
                                                          return fmt::format("body.{}.{}", 2 * level + layer, name.substr(17));
                                                      }));
}

ControlResiduals residuals(const ControlNet& network) {
    UNetInputs inputs;
    inputs.sample = ramp({1, 4, 8, 8});
    inputs.timestep = at::full({1}, 500, at::kLong);
    inputs.context = ramp({1, 77, network.config().unet.cross_attention_dim.front()});
    return network.forward(inputs, network.embed(ramp({1, 3, 64, 64}).add(1).div(2)));
}

void check_equal(const ControlNet& one, const ControlNet& other) {
    const ControlResiduals a = residuals(one), b = residuals(other);
    REQUIRE(a.down.size() == b.down.size());
    for (std::size_t i = 0; i < a.down.size(); ++i) CHECK(at::equal(a.down[i], b.down[i]));
    CHECK(at::equal(a.middle, b.middle));
}

}  // namespace

TEST_CASE("a ControlNet in original names gives the same bytes as its folder") {
    const TemporaryFolder folder;
    const UNetConfig unet = unet_of("sd15");
    const auto whole = open_controlnet(golden_model("controlnet"), unet);
    for (const std::string prefix : {"control_model.", ""}) {
        const std::string file = original_controlnet(folder, prefix);
        const WeightFile written(file);
        for (const char* name : {"input_hint_block.0.weight", "input_hint_block.14.bias", "zero_convs.0.0.weight", "zero_convs.11.0.bias",
                                 "middle_block_out.0.weight", "input_blocks.0.0.weight", "input_blocks.3.0.op.weight",
                                 "middle_block.1.proj_in.weight", "time_embed.0.weight"})
            CHECK_MESSAGE(written.has(prefix + name), name);
        check_equal(*open_controlnet(file, unet), *whole);
    }
    check_equal(*open_controlnet(golden_model("controlnet") + "/diffusion_pytorch_model.safetensors", unet), *whole);
}

TEST_CASE("beside an inpainting UNet a ControlNet sees the latent alone") {
    const TemporaryFolder folder;
    UNetConfig unet = unet_of("sd15");
    unet.in_channels = 9;
    check_equal(*open_controlnet(original_controlnet(folder, ""), unet), *open_controlnet(golden_model("controlnet"), unet));
}

TEST_CASE("a T2I-Adapter in original names gives the same bytes as its folder") {
    const TemporaryFolder folder;
    const UNetConfig unet = unet_of("sd15");
    const at::Tensor map = ramp({1, 3, 64, 64}).add(1).div(2);
    const auto whole = open_t2i_adapter(golden_model("t2iadapter"), unet)->forward(map);
    for (const std::string& file : {original_t2i_adapter(folder), golden_model("t2iadapter") + "/diffusion_pytorch_model.safetensors"}) {
        const auto states = open_t2i_adapter(file, unet)->forward(map);
        REQUIRE(states.size() == whole.size());
        for (std::size_t i = 0; i < states.size(); ++i) CHECK(at::equal(states[i], whole[i]));
    }
}

TEST_CASE("broken and foreign files of steering networks name file and tensor") {
    const TemporaryFolder folder;
    const UNetConfig unet = unet_of("sd15");
    const std::string control = "control_model.", good = read_file(original_controlnet(folder, control));
    const std::string t2i = read_file(original_t2i_adapter(folder));
    const auto spoilt = [&](const std::string& bytes, const std::string& from, const std::string& to) {
        std::string broken = bytes;
        const std::size_t at = broken.find(from);
        REQUIRE(at != std::string::npos);
        REQUIRE(from.size() == to.size());
        return write_file(folder / "broken.safetensors", broken.replace(at, from.size(), to));
    };
    const auto refused = [&](const std::string& file, std::initializer_list<std::string_view> says, const UNetConfig& beside, auto open) {
        check_error(ExitCode::data, {file}, [&] { open(file, beside); });
        check_error(ExitCode::data, says, [&] { open(file, beside); });
    };
    refused(spoilt(good, control + "zero_convs.3.0.weight", control + "zero_convs.3.1.weight"), {"skips of widths"}, unet, open_controlnet);
    refused(spoilt(good, control + "zero_convs.3.0.bias", control + "zero_convs.3.1.bias"), {"zero_convs.3.0.bias", "missing"}, unet,
            open_controlnet);
    refused(spoilt(good, control + "input_hint_block.2.weight", control + "input_hint_black.2.weight"), {"input_hint_block"}, unet,
            open_controlnet);
    refused(spoilt(good, control + "input_hint_block.0.weight", control + "input_hint_block.1.weight"), {"is no ControlNet"}, unet,
            open_controlnet);
    refused(spoilt(good, control + "middle_block_out.0.bias", control + "middle_block_out.1.bias"), {"middle_block_out.0.bias", "missing"},
            unet, open_controlnet);
    refused(spoilt(good, "control_model.time_embed.0.bias", "foreign_model.time_embed.0.bias"), {"foreign_model.time_embed.0.bias"}, unet,
            open_controlnet);
    refused(write_file(folder / "good.safetensors", good), {"skips of widths", "this family"}, unet_of("lcm"), open_controlnet);
    UNetConfig wide = unet;
    for (std::int64_t& width : wide.cross_attention_dim) width = 99;
    refused(write_file(folder / "good.safetensors", good), {"attn2.to_k.weight", "text width", "99"}, wide, open_controlnet);
    refused(spoilt(t2i, "body.3.block2.weight", "body.3.block3.weight"), {"blocks of widths"}, unet, open_t2i_adapter);
    refused(spoilt(t2i, "body.3.block1.bias", "body.3.block4.bias"), {"body.3.block1.bias", "missing"}, unet, open_t2i_adapter);
    refused(spoilt(t2i, "conv_in.weight", "conv_on.weight"), {"is no T2I-Adapter"}, unet, open_t2i_adapter);
    refused(write_file(folder / "good.safetensors", t2i), {"blocks of widths"}, unet_of("lcm"), open_t2i_adapter);
    refused(write_file(folder / "good.safetensors", t2i), {"is no ControlNet"}, unet, open_controlnet);
}
