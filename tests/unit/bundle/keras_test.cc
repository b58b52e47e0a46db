#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "lib/core/bundle/bundle.h"
#include "tests/unit/bundle/keras_writer.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/ramp.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

using Layers = std::vector<KerasWriter::Layer>;

const WeightFile& checkpoint() {
    static const WeightFile file(golden_model("sd15") + ".safetensors");
    return file;
}

Layers text_encoder() {
    KerasModel model(checkpoint(), "cond_stage_model.transformer.text_model.");
    model.add_empty("tokens");
    model.layer("clip_embedding");
    model.add("embeddings.token_embedding", true);
    model.add("embeddings.position_embedding", true);
    for (int i = 0; model.has(fmt::format("encoder.layers.{}.mlp.fc1", i)); ++i) {
        model.layer("clip_encoder_layer");
        for (const char* name : {"layer_norm1", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj",
                                 "layer_norm2", "mlp.fc1", "mlp.fc2"})
            model.add(fmt::format("encoder.layers.{}.{}", i, name));
    }
    model.add_layer("layer_normalization", {"final_layer_norm"});
    return model.layers;
}

void add_resnet(KerasModel& model, const std::string& block) {
    model.layer("res_block");
    for (const char* name : {"in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3", "skip_connection"})
        if (model.has(block + name)) model.add(block + name);
}

void add_transformer(KerasModel& model, const std::string& block) {
    if (!model.has(block + "norm")) return;
    model.layer("spatial_transformer");
    for (const char* name : {"norm", "proj_in", "transformer_blocks.0.norm1", "transformer_blocks.0.attn1.to_q",
                             "transformer_blocks.0.attn1.to_k", "transformer_blocks.0.attn1.to_v", "transformer_blocks.0.attn1.to_out.0",
                             "transformer_blocks.0.norm2", "transformer_blocks.0.attn2.to_q", "transformer_blocks.0.attn2.to_k",
                             "transformer_blocks.0.attn2.to_v", "transformer_blocks.0.attn2.to_out.0", "transformer_blocks.0.norm3",
                             "transformer_blocks.0.ff.net.0.proj", "transformer_blocks.0.ff.net.2", "proj_out"})
        model.add(block + name);
}

Layers diffusion_model() {
    KerasModel model(checkpoint(), "model.diffusion_model.");
    model.add_empty("timestep_embedding");
    model.add_layer("dense", {"time_embed.0"});
    model.add_empty("activation");
    model.add_layer("padded_conv2d", {"input_blocks.0.0"});
    model.add_layer("dense_1", {"time_embed.2"});
    for (int i = 1; i < 12; ++i) {
        const std::string block = fmt::format("input_blocks.{}.", i);
        if (model.has(block + "0.op")) {
            model.add_layer("padded_conv2d", {block + "0.op"});
            continue;
        }
        add_resnet(model, block + "0.");
        add_transformer(model, block + "1.");
    }
    add_resnet(model, "middle_block.0.");
    add_transformer(model, "middle_block.1.");
    add_resnet(model, "middle_block.2.");
    for (int i = 0; i < 12; ++i) {
        const std::string block = fmt::format("output_blocks.{}.", i);
        model.add_empty("concatenate");
        add_resnet(model, block + "0.");
        add_transformer(model, block + "1.");
        for (const char* place : {"1.conv", "2.conv"})
            if (model.has(block + place)) model.add_layer("upsample", {block + place});
    }
    model.add_layer("group_normalization", {"out.0"});
    model.add_layer("padded_conv2d", {"out.2"});
    return model.layers;
}

void add_vae_resnet(KerasModel& model, const std::string& block) {
    model.layer("resnet_block");
    for (const char* name : {"norm1", "conv1", "norm2", "conv2", "nin_shortcut"})
        if (model.has(block + name)) model.add(block + name);
}

void add_middle(KerasModel& model, const std::string& half) {
    add_vae_resnet(model, half + "mid.block_1.");
    model.layer("attention_block");
    for (const char* name : {"norm", "q", "k", "v", "proj_out"}) model.add(half + "mid.attn_1." + name);
    add_vae_resnet(model, half + "mid.block_2.");
}

Layers decoder() {
    KerasModel model(checkpoint(), "first_stage_model.");
    model.add_empty("rescaling");
    model.add_layer("padded_conv2d", {"post_quant_conv"});
    model.add_layer("padded_conv2d", {"decoder.conv_in"});
    add_middle(model, "decoder.");
    for (int level = 3; level >= 0; --level) {
        const std::string place = fmt::format("decoder.up.{}.", level);
        for (int i = 0; model.has(fmt::format("{}block.{}.conv1", place, i)); ++i)
            add_vae_resnet(model, fmt::format("{}block.{}.", place, i));
        if (model.has(place + "upsample.conv")) model.add_layer("padded_conv2d", {place + "upsample.conv"});
    }
    model.add_layer("group_normalization", {"decoder.norm_out"});
    model.add_layer("padded_conv2d", {"decoder.conv_out"});
    return model.layers;
}

Layers image_encoder() {
    KerasModel model(checkpoint(), "first_stage_model.");
    model.add_layer("padded_conv2d", {"encoder.conv_in"});
    for (int level = 0; level < 4; ++level) {
        const std::string place = fmt::format("encoder.down.{}.", level);
        for (int i = 0; model.has(fmt::format("{}block.{}.conv1", place, i)); ++i)
            add_vae_resnet(model, fmt::format("{}block.{}.", place, i));
        if (model.has(place + "downsample.conv")) model.add_layer("padded_conv2d", {place + "downsample.conv"});
    }
    add_middle(model, "encoder.");
    model.add_layer("group_normalization", {"encoder.norm_out"});
    model.add_layer("padded_conv2d", {"encoder.conv_out"});
    model.add_layer("padded_conv2d", {"quant_conv"});
    return model.layers;
}

Bundle open(const std::string& path) {
    ModelFiles files;
    files.path = path;
    files.config = golden_model("sd15");
    return Bundle::open(files);
}

at::Tensor noise_of(const Bundle& bundle) {
    UNetInputs inputs;
    inputs.sample = ramp({1, 4, 8, 8});
    inputs.timestep = at::full({1}, 500, at::kLong);
    inputs.context = ramp({1, 77, bundle.config(Part::unet).at("cross_attention_dim").as_integer()});
    return bundle.unet().forward(inputs);
}

at::Tensor text_of(const Bundle& bundle) {
    return bundle.text_encoder().forward(ramp({1, 77}).mul(400).add(500).to(at::kLong)).last_hidden_state;
}

}  // namespace

TEST_CASE("a folder of KerasCV's weights gives the same bytes as the checkpoint") {
    const TemporaryFolder folder;
    KerasWriter::write(folder / "kcv_encoder.h5", text_encoder());
    KerasWriter::write(folder / "kcv_diffusion_model.h5", diffusion_model());
    KerasWriter::write(folder / "kcv_decoder.h5", decoder());
    KerasWriter::write(folder / "vae_encoder.h5", image_encoder());
    const Bundle keras = open(folder.path()), other = open(golden_model("sd15") + ".safetensors");
    CHECK(keras.arch() == "sd15");
    CHECK(at::equal(noise_of(keras), noise_of(other)));
    CHECK(at::equal(text_of(keras), text_of(other)));
    CHECK(at::equal(keras.vae()->decode(ramp({1, 4, 4, 4})), other.vae()->decode(ramp({1, 4, 4, 4}))));
    CHECK(at::equal(keras.vae()->encode(ramp({1, 3, 16, 16})).mean, other.vae()->encode(ramp({1, 3, 16, 16})).mean));
    for (const Part part : {Part::unet, Part::vae, Part::text_encoder})
        for (const PartTensor& tensor : keras.tensors(part)) CHECK_MESSAGE(!tensor.name.empty(), "a tensor without a name of ours");

    SUBCASE("two files that hold the same network") {
        fs::copy(folder / "kcv_decoder.h5", folder / "other.h5");
        check_error(ExitCode::data, {folder / "other.h5", folder / "kcv_decoder.h5", "the same network"}, [&] { open(folder.path()); });
    }
    SUBCASE("a decoder alone") {
        fs::remove(folder / "vae_encoder.h5");
        const Bundle half = open(folder.path());
        CHECK(at::equal(half.vae(VAEUse::decode)->decode(ramp({1, 4, 4, 4})), other.vae()->decode(ramp({1, 4, 4, 4}))));
        check_error(ExitCode::no_input, {"kcv_decoder.h5", "decoder of a VAE alone"}, [&] { half.vae(VAEUse::encode); });
    }
}

TEST_CASE("KerasCV's files stand for a model's parts") {
    const TemporaryFolder folder;
    ModelFiles files;
    files.path = golden_model("sd15");
    for (const auto& [part, name, layers] : {std::tuple(Part::unet, "unet", diffusion_model()), std::tuple(Part::vae, "vae", decoder()),
                                             std::tuple(Part::text_encoder, "text_encoder", text_encoder())}) {
        files.parts[part] = folder / fmt::format("{}/weights.h5", name);
        write_file(folder / fmt::format("{}/config.json", name), read_file(golden_model("sd15") + fmt::format("/{}/config.json", name)));
        KerasWriter::write(files.parts[part], layers);
    }
    const Bundle keras = Bundle::open(files), plain = Bundle::open(golden_model("sd15"));
    CHECK(at::equal(noise_of(keras), noise_of(plain)));
    CHECK(at::equal(text_of(keras), text_of(plain)));
    CHECK(at::equal(keras.vae()->decode(ramp({1, 4, 4, 4})), plain.vae()->decode(ramp({1, 4, 4, 4}))));
}

namespace {

/// Opens `layers` as the UNet of the small model, which must be refused.
void check_refused(const Layers& layers, std::initializer_list<std::string_view> says) {
    const TemporaryFolder folder;
    KerasWriter::write(folder / "model.h5", layers);
    const auto build = [&] {
        const Bundle bundle = open(folder.path());
        bundle.unet();
    };
    check_error(ExitCode::data, {folder / "model.h5"}, build);
    check_error(ExitCode::data, says, build);
}

/// The same of the decoder's file after `spoil` has had the open file.
template <typename Spoil>
void check_spoilt(std::initializer_list<std::string_view> says, const Spoil& spoil) {
    const TemporaryFolder folder;
    const std::string path = folder / "model.h5";
    KerasWriter::write(path, decoder());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    spoil(file);
    H5Fclose(file);
    check_error(
        ExitCode::data, {path}, [&] { WeightFile{path}; });
    check_error(ExitCode::data, says, [&] { WeightFile{path}; });
}

/// Takes out a dataset, so that another thing can stand in its place.
void remove(hid_t file, const std::string& name) { REQUIRE(H5Ldelete(file, name.c_str(), H5P_DEFAULT) >= 0); }

}  // namespace

TEST_CASE("Keras files with other layers than Stable Diffusion's name file and layer") {
    const Layers good = diffusion_model();
    const auto changed = [&](const auto& change) {
        Layers layers = good;
        change(layers);
        return layers;
    };
    check_refused(changed([](Layers& l) { l[1].weights.pop_back(); }), {"layer \"dense_1\"", "1 weights"});
    check_refused(changed([](Layers& l) { l.erase(l.begin() + 1); }), {"time_embed.2", "missing"});
    check_refused(changed([](Layers& l) { l.erase(l.begin() + 3); }), {"UNet"});
    check_refused(changed([](Layers& l) { l.pop_back(); }), {"UNet"});
    check_refused(changed([](Layers& l) { std::swap(l[5], l[6]); }), {"layer \"spatial_transformer_6\"", "input_blocks.1.0"});
    check_refused(changed([](Layers& l) { std::swap(l[5].weights[2].shape[2], l[5].weights[2].shape[0]); }),
                  {"input_blocks.1.0.in_layers.2.weight", "[16,3,16,3]", "[16,16,3,3]"});
    check_refused(changed([](Layers& l) { l[5].weights[0].shape = {4, 4}; }), {"layer \"res_block_5\"", "10 weights"});
    check_refused(changed([](Layers& l) { l[5].weights[1].name = l[5].weights[0].name + "/below"; }), {"res_block_5"});
    check_refused({{"dense", {{"kernel:0", {2, 2}, {1, 2, 3, 4}}, {"bias:0", {2}, {1, 2}}}}}, {"no part of Stable Diffusion"});
    check_refused({}, {"no part of Stable Diffusion"});
}

TEST_CASE("hostile Keras files name file and dataset") {
    const std::string kernel = "/padded_conv2d_1/padded_conv2d_1/part_0/kernel:0";
    const KerasWriter::Weight whole{kernel, {1, 1, 4, 4}, std::vector<float>(16, 1)};
    const auto with_layout = [&](const auto& set, hid_t type = H5T_IEEE_F32LE) {
        return [&, set, type](hid_t file) {
            remove(file, kernel);
            const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
            set(creation);
            KerasWriter::put(file, whole, creation, type);
            H5Pclose(creation);
        };
    };
    check_spoilt(
        {kernel, "missing"}, [&](hid_t file) { remove(file, kernel); });
    check_spoilt({"padded_conv2d_1", "missing"}, [&](hid_t file) { remove(file, "/padded_conv2d_1"); });
    check_spoilt({kernel, "compressed"}, with_layout([](hid_t creation) {
                     const hsize_t chunk[4] = {1, 1, 4, 4};
                     H5Pset_chunk(creation, 4, chunk);
                     H5Pset_deflate(creation, 5);
                 }));
    check_spoilt({kernel, "in pieces"}, with_layout([](hid_t creation) { H5Pset_layout(creation, H5D_COMPACT); }));
    check_spoilt({kernel, "another file"}, with_layout([](hid_t creation) { H5Pset_external(creation, "/etc/passwd", 0, H5F_UNLIMITED); }));
    check_spoilt({kernel, "neither float32 nor float16"}, with_layout([](hid_t) {}, H5T_IEEE_F64LE));
    check_spoilt({kernel, "neither float32 nor float16"}, with_layout([](hid_t) {}, H5T_IEEE_F32BE));
    check_spoilt({kernel, "neither float32 nor float16"}, with_layout([](hid_t) {}, H5T_STD_I32LE));
    check_spoilt({kernel, "link"}, [&](hid_t file) {
        remove(file, kernel);
        H5Lcreate_external("/etc/passwd", "/x", file, kernel.c_str(), H5P_DEFAULT, H5P_DEFAULT);
    });
    check_spoilt({kernel, "link"}, [&](hid_t file) {
        remove(file, kernel);
        H5Lcreate_soft("/padded_conv2d_2", file, kernel.c_str(), H5P_DEFAULT, H5P_DEFAULT);
    });
    check_spoilt(
        {kernel, "no dataset"},
        [&](hid_t file) {
            remove(file, kernel);
            H5Gclose(H5Gcreate2(file, kernel.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        });
    const auto of_shape = [&](std::vector<hsize_t> shape) {
        return [&kernel, shape](hid_t file) {
            remove(file, kernel);
            KerasWriter::put(file, {kernel, shape, {}});
        };
    };
    check_spoilt({kernel, "without data"}, of_shape({1, 1, 60000, 60000}));
    check_spoilt({kernel, "a side of"}, of_shape({1, 1, hsize_t{1} << 40, 4}));
    check_spoilt({kernel, "a side of 0"}, of_shape({1, 1, 0, 4}));
    check_spoilt({kernel, "5 sides"}, of_shape({1, 1, 1, 4, 4}));
    check_spoilt(
        {"layer_names"}, [](hid_t file) { H5Adelete(file, "layer_names"); });
    check_spoilt({"padded_conv2d_1", "weight_names"},
                 [](hid_t file) { H5Adelete_by_name(file, "padded_conv2d_1", "weight_names", H5P_DEFAULT); });
    check_spoilt({"padded_conv2d_1", "names of 2000 bytes"}, [](hid_t file) {
        H5Adelete_by_name(file, "padded_conv2d_1", "weight_names", H5P_DEFAULT);
        const hid_t group = H5Gopen2(file, "padded_conv2d_1", H5P_DEFAULT);
        KerasWriter::put_names(group, "weight_names", {std::string(2000, 'x')});
        H5Gclose(group);
    });
    check_spoilt({"no list of names"}, [](hid_t file) {
        H5Adelete(file, "layer_names");
        const hsize_t count = 3;
        const hid_t space = H5Screate_simple(1, &count, nullptr);
        H5Aclose(H5Acreate2(file, "layer_names", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT));
        H5Sclose(space);
    });
}

TEST_CASE("a truncated HDF5 file is refused wherever it ends") {
    const TemporaryFolder folder;
    KerasWriter::write(folder / "whole.h5", decoder());
    const std::string bytes = read_file(folder / "whole.h5");
    for (const std::size_t kept : {std::size_t{8}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
        const std::string path = write_file(folder / "short.h5", bytes.substr(0, kept));
        check_error(ExitCode::data, {path, "truncated"}, [&] { WeightFile{path}; });
    }
}
