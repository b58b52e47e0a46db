#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "lib/core/model/clip_text.h"
#include "lib/core/model/unet.h"
#include "lib/core/model/vae.h"
#include "tests/unit/random_weights.h"

using namespace lcm;

namespace {

/// A configuration as JSON text: the members of `base` with `more` after them.
Json config(const std::string& base, const std::string& more) {
    return parse_json("{" + base + (more.empty() ? "" : ", " + more) + "}", "config.json");
}

const std::string unet_base = R"("block_out_channels": [32, 64], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "_class_name": "UNet2DConditionModel")";

std::vector<std::int64_t> list(std::initializer_list<std::int64_t> values) { return values; }

UNetConfig unet(const std::string& more) { return UNetConfig::from_json(config(unet_base, more)); }

/// What `read` throws must be Error(data) whose place names the file and `key`.
template <typename Read>
void refused(const std::string& key, const Read& read) {
    INFO(key);
    try {
        read();
        FAIL_CHECK("accepted");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::data);
        CHECK(error.where().find("config.json") == 0);
        CHECK_MESSAGE(error.where().find('"' + key + '"') != std::string::npos, error.where());
    }
}

}  // namespace

TEST_CASE("a UNet's absent keys have the reference's values, and one number stands for every block") {
    const UNetConfig plain = unet("");
    CHECK(plain.in_channels == 4);
    CHECK(plain.layers_per_block == list({2, 2}));
    CHECK(plain.num_attention_heads == list({8, 8}));
    CHECK(plain.cross_attention_dim == list({1280, 1280}));
    CHECK(plain.mid_block_type == "UNetMidBlock2DCrossAttn");
    CHECK_FALSE(plain.time_cond_proj_dim.has_value());
    CHECK_FALSE(plain.text_time);

    const UNetConfig set = unet(R"("layers_per_block": [1, 3], "attention_head_dim": [2, 4], "transformer_layers_per_block": 5,
        "cross_attention_dim": [24, 24], "time_cond_proj_dim": 256, "mid_block_type": null, "freq_shift": 1, "flip_sin_to_cos": false)");
    CHECK(set.layers_per_block == list({1, 3}));
    CHECK(set.num_attention_heads == list({2, 4}));
    CHECK(set.transformer_layers_per_block == list({5, 5}));
    CHECK(set.time_cond_proj_dim == 256);
    CHECK(set.mid_block_type.empty());
    CHECK(set.freq_shift == 1);
    CHECK_FALSE(set.flip_sin_to_cos);
    CHECK(unet(R"("attention_head_dim": 8, "num_attention_heads": 4)").num_attention_heads == list({4, 4}));
}

TEST_CASE("values of a UNet that are not implemented are refused by name") {
    const std::pair<const char*, const char*> cases[] = {
        {"act_fn", "\"gelu\""},
        {"addition_embed_type", "\"image\""},
        {"attention_type", "\"gated\""},
        {"center_input_sample", "true"},
        {"class_embed_type", "\"timestep\""},
        {"class_embeddings_concat", "true"},
        {"conv_in_kernel", "1"},
        {"conv_out_kernel", "5"},
        {"cross_attention_dim", "[24, 32]"},
        {"cross_attention_norm", "\"layer_norm\""},
        {"downsample_padding", "0"},
        {"dropout", "0.1"},
        {"dual_cross_attention", "true"},
        {"encoder_hid_dim", "64"},
        {"encoder_hid_dim_type", "\"text_proj\""},
        {"mid_block_only_cross_attention", "true"},
        {"mid_block_scale_factor", "1.5"},
        {"mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\""},
        {"num_class_embeds", "10"},
        {"only_cross_attention", "true"},
        {"resnet_out_scale_factor", "2.0"},
        {"resnet_skip_time_act", "true"},
        {"resnet_time_scale_shift", "\"scale_shift\""},
        {"reverse_transformer_layers_per_block", "[1, 1]"},
        {"time_embedding_act_fn", "\"silu\""},
        {"time_embedding_dim", "64"},
        {"time_embedding_type", "\"fourier\""},
        {"timestep_post_act", "\"silu\""},
        {"transformer_layers_per_block", "[1, [1, 2]]"},
    };
    for (const auto& [key, value] : cases) {
        const std::string member = '"' + std::string(key) + "\": " + value;
        refused(key, [&] { unet(member); });
    }
    refused("a_new_switch", [] { unet(R"("a_new_switch": false)"); });
    CHECK_NOTHROW(unet(R"("_diffusers_version": "9", "a_new_switch": null)"));
}

TEST_CASE("values of a UNet that do not fit together are refused") {
    refused("attention_head_dim", [] { unet(R"("attention_head_dim": 7)"); });
    refused("layers_per_block", [] { unet(R"("layers_per_block": [1, 2, 3])"); });
    refused("layers_per_block", [] { unet(R"("layers_per_block": 0)"); });
    refused("norm_num_groups", [] { unet(R"("norm_num_groups": 48)"); });
    refused("addition_time_embed_dim", [] { unet(R"("addition_embed_type": "text_time")"); });
    refused("in_channels", [] { unet(R"("in_channels": "4")"); });
    const auto read = [](const char* text) { return UNetConfig::from_json(parse_json(text, "config.json")); };
    refused("block_out_channels", [&] { read(R"({"block_out_channels": []})"); });
    refused("down_block_types", [&] { read(R"({"block_out_channels": [32], "down_block_types": ["DownBlock2D", "DownBlock2D"]})"); });
    refused("down_block_types", [&] { read(R"({"block_out_channels": [32], "down_block_types": ["AttnDownBlock2D"]})"); });
}

TEST_CASE("a VAE's configuration is read as strictly") {
    const std::string base = R"("block_out_channels": [32, 64], "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"])";
    const auto read = [&](const std::string& more) {
        RandomWeights weights;
        make_vae(config(base, more), weights);
    };
    CHECK_NOTHROW(read(""));
    refused("act_fn", [&] { read(R"("act_fn": "relu")"); });
    refused("block_out_channels",
            [] { LatentFormat::from_json(parse_json(R"({"block_out_channels": [1, 1, 1, 1, 1, 1, 1, 1, 1]})", "config.json")); });
    refused("in_channels", [&] { read(R"("in_channels": 4)"); });
    refused("latents_mean", [&] { read(R"("latents_mean": [0, 0, 0], "latents_std": [1, 1, 1, 1])"); });
    refused("latents_std", [&] { read(R"("latents_mean": [0, 0, 0, 0])"); });
    refused("scaling_factor", [&] { read(R"("scaling_factor": 0)"); });
    refused("shift_factor", [&] { read(R"("shift_factor": 0.1, "latents_mean": [0, 0, 0, 0], "latents_std": [1, 1, 1, 1])"); });
    refused("use_tiling", [&] { read(R"("use_tiling": true)"); });
    CHECK_THROWS_AS(read(R"("_class_name": "VQModel")"), Error);

    const std::string tiny = R"("_class_name": "AutoencoderTiny", "encoder_block_out_channels": [8, 8],
        "decoder_block_out_channels": [8, 8], "num_encoder_blocks": [1, 1])";
    const auto read_tiny = [&](const std::string& more) {
        RandomWeights weights;
        make_vae(config(tiny, more), weights);
    };
    CHECK_NOTHROW(read_tiny(R"("num_decoder_blocks": [1, 2])"));
    refused("num_decoder_blocks", [&] { read_tiny(R"("num_decoder_blocks": [1])"); });
    refused("act_fn", [&] { read_tiny(R"("num_decoder_blocks": [1, 1], "act_fn": "gelu")"); });
    refused("upsampling_scaling_factor", [&] { read_tiny(R"("num_decoder_blocks": [1, 1], "upsampling_scaling_factor": 4)"); });
    refused("decoder_block_out_channels", [&] {
        RandomWeights weights;
        make_vae(config(R"("_class_name": "AutoencoderTiny", "encoder_block_out_channels": [8, 8], "decoder_block_out_channels": [8, 4],
            "num_encoder_blocks": [1, 1], "num_decoder_blocks": [1, 1])",
                        ""),
                 weights);
    });
}

TEST_CASE("a text encoder's configuration is read as strictly") {
    const auto read = [](const std::string& more) { return CLIPTextConfig::from_json(config(R"("model_type": "clip_text_model")", more)); };
    CHECK(read("").hidden_act == nn::Activation::quick_gelu);
    CHECK_FALSE(read(R"("architectures": ["CLIPTextModel"])").with_projection);
    CHECK(read(R"("architectures": ["CLIPTextModelWithProjection"], "hidden_act": "gelu")").with_projection);
    CHECK(read(R"("hidden_act": "gelu")").hidden_act == nn::Activation::gelu);
    refused("architectures", [&] { read(R"("architectures": ["T5EncoderModel"])"); });
    refused("hidden_act", [&] { read(R"("hidden_act": "relu")"); });
    refused("num_attention_heads", [&] { read(R"("num_attention_heads": 7)"); });
    refused("rope_theta", [&] { read(R"("rope_theta": 10000)"); });
}
