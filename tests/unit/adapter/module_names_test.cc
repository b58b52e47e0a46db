#include "lib/core/adapter/module_names.h"

#include <doctest/doctest.h>

using namespace lcm;

namespace {

void check(const ModuleNames& names, const std::string& spelt, const std::string& module, Network network = Network::unet) {
    CAPTURE(spelt);
    const ModuleRef* found = names.find(spelt);
    REQUIRE(found != nullptr);
    CHECK(found->module == module);
    CHECK((found->network == network));
}

}  // namespace

TEST_CASE("every dialect names the same module of SD 1.5") {
    const ModuleNames names(published_parameters("sd15"));
    const std::string block = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.", to_q = block + "to_q";
    for (const char* spelt : {"lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
                              "lycoris_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q",
                              "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"})
        check(names, spelt, to_q);
    for (const char* prefix : {"", "unet.", "base_model.model."}) check(names, prefix + to_q, to_q);
    check(names, "diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q", to_q);
    check(names, "unet." + block + "processor.to_q_lora", to_q);
    check(names, "unet." + block + "processor.to_out_lora", block + "to_out.0");
    check(names, "lora_unet_output_blocks_2_1_conv", "up_blocks.0.upsamplers.0.conv");
    check(names, "lora_unet_output_blocks_5_2_conv", "up_blocks.1.upsamplers.0.conv");
    const std::string q_proj = "encoder.layers.3.self_attn.q_proj";
    for (const char* spelt :
         {"lora_te_text_model_encoder_layers_3_self_attn_q_proj", "lora_te1_text_model_encoder_layers_3_self_attn_q_proj",
          "text_encoder.text_model.encoder.layers.3.self_attn.q_proj", "text_encoder.text_model.encoder.layers.3.self_attn.to_q_lora"})
        check(names, spelt, q_proj, Network::text_encoder);
    for (const char* unknown : {"lora_te2_text_model_encoder_layers_3_self_attn_q_proj", "lora_unet_down_blocks_4_resnets_0_conv1", "",
                                "lora_unet_", "down_blocks"})
        CHECK(names.find(unknown) == nullptr);
}

TEST_CASE("SDXL's upsamplers stand behind their attention, and its second text encoder has names of its own") {
    const ModuleNames names(published_parameters("sdxl"));
    check(names, "lora_unet_output_blocks_2_2_conv", "up_blocks.0.upsamplers.0.conv");
    check(names, "lora_unet_input_blocks_3_0_op", "down_blocks.0.downsamplers.0.conv");
    check(names, "lora_unet_label_emb_0_2", "add_embedding.linear_2");
    check(names, "lora_unet_middle_block_2_emb_layers_1", "mid_block.resnets.1.time_emb_proj");
    check(names, "lora_te2_text_model_encoder_layers_31_mlp_fc1", "encoder.layers.31.mlp.fc1", Network::text_encoder_2);
    check(names, "lora_te2_text_projection", "text_projection", Network::text_encoder_2);
}
