#include "lib/core/bundle/shape_config.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "lib/core/bundle/bundle.h"
#include "lib/core/weights/name_recorder.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

/// Adds the parameters of a network under the names of `layout`, whole tensors as files hold them.
void add_part(Shapes& shapes, Part part, const Layout& layout, const NameRecorder& network) {
    const NameTable table = name_table(part, layout, network.names());
    for (const auto& [stored, targets] : table.stored) {
        std::vector<std::int64_t> shape = network.shapes().at(targets.front().name);
        if (targets.front().cut == Cut::transposed) std::swap(shape[0], shape[1]);
        if (targets.size() == 3) shape[0] *= 3;  // q, k and v
        const bool second_spelling = part == Part::text_encoder && layout.naming == Naming::original && !stored.starts_with("text_model.");
        if (!second_spelling) shapes[table.prefix + stored] = shape;
    }
}

NameRecorder unet_of(const std::string& config) {
    NameRecorder recorder;
    UNet(UNetConfig::from_json(parse_json(config, "config")), recorder);
    return recorder;
}

NameRecorder vae_of(const std::string& config) {
    NameRecorder recorder;
    make_vae(parse_json(config, "config"), recorder);
    return recorder;
}

NameRecorder text_of(const std::string& config) {
    NameRecorder recorder;
    CLIPTextModel(CLIPTextConfig::from_json(parse_json(config, "config")), recorder);
    return recorder;
}

/// A file with these tensors in F16, all holes: only its header takes room.
std::string write_holes(const TemporaryFolder& folder, const Shapes& shapes) {
    std::string header = R"({"__metadata__":{"format":"pt"})";
    std::uint64_t end = 0;
    for (const auto& [name, shape] : shapes) {
        std::uint64_t bytes = 2;
        for (const std::int64_t side : shape) bytes *= static_cast<std::uint64_t>(side);
        header +=
            fmt::format(R"(,"{}":{{"dtype":"F16","shape":[{}],"data_offsets":[{},{}]}})", name, fmt::join(shape, ","), end, end + bytes);
        end += bytes;
    }
    const std::string file = write_file(folder / "model.safetensors", safetensors_with_header(header + "}", ""));
    std::filesystem::resize_file(file, std::filesystem::file_size(file) + end);
    return file;
}

constexpr const char* sd_vae = R"({"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2,
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]})";

std::string sd_unet(int context) {
    return fmt::format(R"({{"block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": {},
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}})",
                       context);
}

constexpr const char* sdxl_unet = R"({"block_out_channels": [320, 640, 1280], "cross_attention_dim": 2048,
    "transformer_layers_per_block": [1, 2, 10], "attention_head_dim": [5, 10, 20], "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]})";

std::string clip(int width, int layers, int heads, const char* architecture = "CLIPTextModel") {
    return fmt::format(R"({{"architectures": ["{}"], "hidden_size": {}, "intermediate_size": {}, "num_hidden_layers": {},
    "num_attention_heads": {}, "projection_dim": {}}})",
                       architecture, width, 4 * width, layers, heads, width);
}

UNetConfig unet_config(const Bundle& bundle) { return UNetConfig::from_json(bundle.config(Part::unet)); }
CLIPTextConfig text_config(const Bundle& bundle, Part part) { return CLIPTextConfig::from_json(bundle.config(part)); }

}  // namespace

TEST_CASE("a checkpoint of Stable Diffusion 1.5 is known by its shapes") {
    const TemporaryFolder folder;
    Shapes shapes{{"betas", {1000}}, {"model_ema.decay", {}}};
    add_part(shapes, Part::unet, {Naming::original, "model.diffusion_model."}, unet_of(sd_unet(768)));
    add_part(shapes, Part::vae, {Naming::original, "first_stage_model."}, vae_of(sd_vae));
    add_part(shapes, Part::text_encoder, {Naming::original, "cond_stage_model.transformer."}, text_of(clip(768, 12, 12)));
    ModelFiles files;
    files.path = write_holes(folder, shapes);
    files.vocabulary = "merges.txt";
    const Bundle bundle = Bundle::open(files);
    CHECK(bundle.arch() == "sd15");
    const UNetConfig unet = unet_config(bundle);
    CHECK(unet.block_out_channels == std::vector<std::int64_t>{320, 640, 1280, 1280});
    CHECK(unet.layers_per_block == std::vector<std::int64_t>{2, 2, 2, 2});
    CHECK(unet.num_attention_heads == std::vector<std::int64_t>{8, 8, 8, 8});
    CHECK(unet.up_block_types.front() == "UpBlock2D");
    CHECK(bundle.defaults().width == 512);
    CHECK(bundle.latent_format().scaling_factor == 0.18215);
    CHECK(bundle.latent_format().factor == 8);
    CHECK(bundle.scheduler_config().at("prediction_type").as_string() == "epsilon");
    CHECK(text_config(bundle, Part::text_encoder).num_attention_heads == 12);
    CHECK(text_config(bundle, Part::text_encoder).num_hidden_layers == 12);
    CHECK(bundle.tokenizer_path() == "merges.txt");
    CHECK_FALSE(bundle.pads_with_zero(Part::text_encoder));
    for (const Part part : {Part::unet, Part::vae, Part::text_encoder})
        for (const PartTensor& tensor : bundle.tensors(part)) CHECK_MESSAGE(!tensor.name.empty(), "a tensor without a name of ours");
}

TEST_CASE("a checkpoint of Stable Diffusion 2 leaves out its last text layer and does not tell its prediction type") {
    const TemporaryFolder folder;
    Shapes shapes;
    add_part(shapes, Part::unet, {Naming::original, "model.diffusion_model."}, unet_of(sd_unet(1024)));
    add_part(shapes, Part::text_encoder, {Naming::open_clip, "cond_stage_model.model."}, text_of(clip(1024, 24, 16)));
    shapes["cond_stage_model.model.text_projection"] = {1024, 1024};
    shapes["cond_stage_model.model.logit_scale"] = {};
    ModelFiles files;
    files.path = write_holes(folder, shapes);
    const Bundle bundle = Bundle::open(files);
    CHECK(bundle.arch() == "sd2");
    CHECK(unet_config(bundle).num_attention_heads == std::vector<std::int64_t>{5, 10, 20, 20});
    CHECK(text_config(bundle, Part::text_encoder).num_hidden_layers == 23);
    CHECK(text_config(bundle, Part::text_encoder).hidden_act == nn::Activation::gelu);
    CHECK(bundle.pads_with_zero(Part::text_encoder));
    CHECK(bundle.scheduler_config().is_null());
    bundle.text_encoder();  // nothing is left over, the 24th layer is known
    files.prediction_type = "v_prediction";
    CHECK(Bundle::open(files).scheduler_config().at("prediction_type").as_string() == "v_prediction");
}

TEST_CASE("a checkpoint of SDXL is known by its shapes") {
    const TemporaryFolder folder;
    Shapes shapes;
    add_part(shapes, Part::unet, {Naming::original, "model.diffusion_model."}, unet_of(sdxl_unet));
    add_part(shapes, Part::vae, {Naming::original, "first_stage_model."}, vae_of(sd_vae));
    add_part(shapes, Part::text_encoder, {Naming::original, "conditioner.embedders.0.transformer."}, text_of(clip(768, 12, 12)));
    add_part(shapes, Part::text_encoder_2, {Naming::open_clip, "conditioner.embedders.1.model."},
             text_of(clip(1280, 32, 20, "CLIPTextModelWithProjection")));
    const Bundle bundle = Bundle::open(write_holes(folder, shapes));
    CHECK(bundle.arch() == "sdxl");
    const UNetConfig unet = unet_config(bundle);
    CHECK(unet.num_attention_heads == std::vector<std::int64_t>{5, 10, 20});
    CHECK(unet.transformer_layers_per_block == std::vector<std::int64_t>{1, 2, 10});
    CHECK(unet.projection_class_embeddings_input_dim == 2816);
    CHECK(bundle.latent_format().scaling_factor == 0.13025);
    CHECK(bundle.defaults().width == 1024);
    CHECK(text_config(bundle, Part::text_encoder_2).num_hidden_layers == 32);
    CHECK(text_config(bundle, Part::text_encoder_2).with_projection);
    CHECK(bundle.pads_with_zero(Part::text_encoder_2));
    CHECK_FALSE(bundle.pads_with_zero(Part::text_encoder));
}

TEST_CASE("shapes that no published family has name the tensor or the width") {
    const TemporaryFolder folder;
    Shapes shapes;
    add_part(shapes, Part::unet, {Naming::original, "model.diffusion_model."}, unet_of(sd_unet(896)));
    const std::string file = write_holes(folder, shapes);
    check_error(ExitCode::data, {file, "width 896", "--model-config"}, [&] { Bundle::open(file); });
    shapes.erase("model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight");
    const std::string broken = write_holes(folder, shapes);
    check_error(ExitCode::data, {broken, "attn2.to_k.weight", "missing"}, [&] { Bundle::open(broken); });
    shapes = {{"model.diffusion_model.input_blocks.0.0.weight", {320, 4, 3, 3}}};
    const std::string bare = write_holes(folder, shapes);
    check_error(ExitCode::data, {bare, "input_blocks.1.0.in_layers.2.weight"}, [&] { Bundle::open(bare); });
}
