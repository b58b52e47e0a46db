#include "lib/core/model/controlnet.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/golden/golden_model.h"
#include "tests/golden/golden_unet.h"

using namespace lcm;

TEST_CASE("a ControlNet's residuals, and what the UNet makes of them") {
    const UNet unet = golden::open_unet("models/sd15/unet");
    const ControlNet controlnet = golden::build("models/controlnet", {}, [](const Json& config, WeightSet& weights) {
        return ControlNet(ControlNetConfig::from_json(config), weights);
    });
    golden::check_group("controlnet", [&](const golden::Case& one) -> golden::Results {
        UNetInputs inputs = golden::unet_inputs(one);
        const ControlStrength strength{.scale = one.args().at("conditioning_scale").as_number(),
                                       .guess = one.args().at("guess_mode").as_bool()};
        const ControlResiduals residuals = controlnet.forward(inputs, controlnet.embed(one.input("image")), strength);
        inputs.down_residuals = residuals.down;
        inputs.middle_residual = residuals.middle;
        golden::Results results{{"mid", residuals.middle}, {"noise", unet.forward(inputs)}};
        for (std::size_t i = 0; i < residuals.down.size(); ++i) {
            const std::string name = fmt::format("down_{}", i);
            if (one.outputs().contains(name)) results[name] = residuals.down[i];
        }
        return results;
    });
}
