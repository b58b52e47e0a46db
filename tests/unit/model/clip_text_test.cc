#include "lib/core/model/clip_text.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include "lib/base/error.h"
#include "tests/unit/random_weights.h"

using namespace lcm;

namespace {

CLIPTextConfig small_config(std::int64_t eos_token_id) {
    CLIPTextConfig config;
    config.vocab_size = 20;
    config.hidden_size = 8;
    config.intermediate_size = 16;
    config.num_hidden_layers = 2;
    config.num_attention_heads = 2;
    config.max_position_embeddings = 6;
    config.projection_dim = 5;
    config.eos_token_id = eos_token_id;
    return config;
}

CLIPTextModel open(const CLIPTextConfig& config) {
    RandomWeights weights;
    return CLIPTextModel(config, weights);
}

at::Tensor ids(std::initializer_list<std::int64_t> row) {
    return at::tensor(at::ArrayRef<std::int64_t>(row.begin(), row.size()), at::kLong).unsqueeze(0);
}

/// Rounding of f32 where the same states are computed beside others.
bool close(const at::Tensor& a, const at::Tensor& b) { return a.sizes() == b.sizes() && at::allclose(a, b, 1e-5, 1e-6); }

}  // namespace

TEST_CASE("a token sees no later token") {
    const CLIPTextModel model = open(small_config(7));
    const at::Tensor first = model.forward(ids({1, 3, 4, 7})).last_hidden_state;
    const at::Tensor second = model.forward(ids({1, 3, 9, 7})).last_hidden_state;
    CHECK(close(first.narrow(1, 0, 2), second.narrow(1, 0, 2)));
    CHECK_FALSE(close(first.narrow(1, 2, 1), second.narrow(1, 2, 1)));
    CHECK_FALSE(close(first.narrow(1, 3, 1), second.narrow(1, 3, 1)));
}

TEST_CASE("the pooled state is that of the first end token, or of the highest id where the configuration says 2") {
    const at::Tensor row = ids({1, 3, 7, 15, 7});
    const CLIPTextOutputs named = open(small_config(7)).forward(row), legacy = open(small_config(2)).forward(row);
    CHECK(close(named.pooled, named.last_hidden_state.select(1, 2)));
    CHECK(close(legacy.pooled, legacy.last_hidden_state.select(1, 3)));
}

TEST_CASE("hidden states begin with the embeddings and end before the final norm") {
    CLIPTextConfig config = small_config(7);
    config.with_projection = true;
    RandomWeights weights;
    const CLIPTextModel model(config, weights);
    const CLIPTextOutputs out = model.forward(ids({1, 3, 7}));
    REQUIRE(out.hidden_states.size() == 3);
    const at::Tensor tokens = weights.tensors().at("embeddings.token_embedding.weight");
    const at::Tensor places = weights.tensors().at("embeddings.position_embedding.weight");
    CHECK(close(out.hidden_states[0][0][1], tokens[3] + places[1]));
    CHECK(close(model.final_layer_norm(out.hidden_states.back()), out.last_hidden_state));
    CHECK(close(out.text_embeds[0], weights.tensors().at("text_projection.weight").mv(out.pooled[0])));
}

TEST_CASE("ids outside the vocabulary and rows that are too long are refused") {
    const CLIPTextModel model = open(small_config(7));
    CHECK_THROWS_WITH_AS(model.forward(ids({1, 20})), doctest::Contains("token id 20 is outside the vocabulary of 20"), Error);
    CHECK_THROWS_WITH_AS(model.forward(ids({-1, 2})), doctest::Contains("token id -1"), Error);
    CHECK_THROWS_WITH_AS(model.forward(at::zeros({1, 7}, at::kLong)), doctest::Contains("7 tokens a prompt"), Error);
    CHECK_THROWS_WITH_AS(model.forward(at::zeros({7}, at::kLong)), doctest::Contains("the token ids is [7]"), Error);
}
