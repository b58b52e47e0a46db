#include "lib/core/model/unet.h"

#include <ATen/ops/full.h>
#include <doctest/doctest.h>

#include <map>

#include "tests/golden/golden_model.h"

using namespace lcm;

TEST_CASE("UNets") {
    std::map<std::string, UNet> opened;
    golden::check_group("unet", [&](const golden::Case& one) -> golden::Results {
        const std::string& part = one.args().at("model").as_string();
        if (!opened.contains(part)) {
            opened.emplace(part, golden::build(part, {}, [](const Json& config, WeightSet& weights) {
                               return UNet(UNetConfig::from_json(config), weights);
                           }));
        }
        UNetInputs inputs;
        inputs.sample = one.input("sample");
        inputs.timestep = one.input("t");
        inputs.context = one.input("context");
        if (const Json* scale = one.args().find("guidance_scale"))
            inputs.guidance = at::full({inputs.sample.size(0)}, scale->as_number() - 1, at::kFloat);
        if (one.has_input("time_ids")) {
            inputs.text_pooled = one.input("text_embeds");
            inputs.time_ids = one.input("time_ids");
        }
        return {{"noise", opened.at(part).forward(inputs)}};
    });
}
