#include "lib/core/weights/key_map.h"

#include <doctest/doctest.h>

using namespace lcm;

TEST_CASE("old attention names of AutoencoderKL become today's") {
    const std::string block = "decoder.mid_block.attentions.0.";
    CHECK(vae_key(block + "query.weight") == block + "to_q.weight");
    CHECK(vae_key(block + "key.bias") == block + "to_k.bias");
    CHECK(vae_key(block + "value.weight") == block + "to_v.weight");
    CHECK(vae_key(block + "proj_attn.bias") == block + "to_out.0.bias");
    for (const char* same : {"group_norm.weight", "to_q.weight", "to_out.0.bias"}) CHECK(vae_key(block + same) == block + same);
    CHECK(vae_key("decoder.layers.3.conv.0.weight") == "decoder.layers.3.conv.0.weight");
}

TEST_CASE("text encoder names lose the prefix of older files") {
    CHECK(text_encoder_key("text_model.encoder.layers.0.mlp.fc1.weight") == "encoder.layers.0.mlp.fc1.weight");
    CHECK(text_encoder_key("encoder.layers.0.mlp.fc1.weight") == "encoder.layers.0.mlp.fc1.weight");
    CHECK(text_encoder_key("text_projection.weight") == "text_projection.weight");
}

TEST_CASE("position ids are dropped, position embeddings are not") {
    CHECK(text_encoder_key("text_model.embeddings.position_ids").empty());
    CHECK(text_encoder_key("embeddings.position_ids").empty());
    CHECK(text_encoder_key("text_model.embeddings.position_embedding.weight") == "embeddings.position_embedding.weight");
}
