#include <doctest/doctest.h>

#include "lib/core/model/clip_text.h"
#include "lib/core/weights/key_map.h"
#include "tests/golden/golden_model.h"

using namespace lcm;

TEST_CASE("CLIP text encoders") {
    golden::check_group("text", [](const golden::Case& one) {
        const std::string& part = one.args().at("model").as_string();
        const CLIPTextModel model = golden::build(part, text_encoder_key, [](const Json& config, WeightSet& weights) {
            return CLIPTextModel(CLIPTextConfig::from_json(config), weights);
        });
        const CLIPTextOutputs out = model.forward(one.input("ids"));
        golden::Results results{{"last", out.last_hidden_state}};
        for (std::size_t i = 0; i < out.hidden_states.size(); ++i) results["hidden_" + std::to_string(i)] = out.hidden_states[i];
        if (out.text_embeds.defined())
            results["embeds"] = out.text_embeds;
        else
            results["pooled"] = out.pooled;
        return results;
    });
}
