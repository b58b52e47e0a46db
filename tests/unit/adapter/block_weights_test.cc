#include "lib/core/adapter/block_weights.h"

#include <doctest/doctest.h>

#include "tests/unit/adapter/small_model.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

double of(const BlockWeights& weights, const std::string& module, Network network = Network::unet) { return weights.of({network, module}); }

}  // namespace

TEST_CASE("the longest name counts, and what none names gets 1") {
    const auto weights = BlockWeights::parse("down:0.5,down.1:0,mid:-1,text:0.25,down_blocks.1.attentions.0:3,conv_in:2");
    CHECK(of(weights, "down_blocks.0.resnets.0.conv1") == 0.5);
    CHECK(of(weights, "down_blocks.1.resnets.0.conv1") == 0);
    CHECK(of(weights, "down_blocks.1.attentions.0.proj_in") == 3);
    CHECK(of(weights, "down_blocks.10.resnets.0.conv1") == 0.5);
    CHECK(of(weights, "mid_block.attentions.0.proj_in") == -1);
    CHECK(of(weights, "up_blocks.0.resnets.0.conv1") == 1);
    CHECK(of(weights, "conv_in") == 2);
    CHECK(of(weights, "encoder.layers.0.mlp.fc1", Network::text_encoder) == 0.25);
    CHECK(of(weights, "encoder.layers.0.mlp.fc1", Network::text_encoder_2) == 1);
    CHECK(BlockWeights::parse("").empty());
}

TEST_CASE("a layer of a text encoder by its number") {
    const auto weights = BlockWeights::parse("text.1:0");
    CHECK(of(weights, "encoder.layers.1.mlp.fc1", Network::text_encoder) == 0);
    CHECK(of(weights, "encoder.layers.10.mlp.fc1", Network::text_encoder) == 1);
}

TEST_CASE("what is no block weight is named") {
    for (const char* text : {"down", "down:", "down:x", ":1", "down:1,,up:1", "down:nan"})
        check_error(ExitCode::data, {"gives a block no weight"}, [&] { BlockWeights::parse(text); });
    check_error(ExitCode::data, {"\"down\" stands twice"}, [] { BlockWeights::parse("down:1,down:2"); });
    const ModelParameters parameters = small_target().parameters;
    BlockWeights::parse("down.0:1,mid:0,conv_in:1,text.0:1").expect_known(parameters);
    for (const char* text : {"down.2:1", "left:1", "up:1", "text_encoder_2:1"})
        check_error(ExitCode::data, {"the model has no block", std::string_view(text).substr(0, 2)},
                    [&] { BlockWeights::parse(text).expect_known(parameters); });
}
