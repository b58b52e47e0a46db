#include <ATen/TensorOperators.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "lib/core/model/t2i_adapter.h"
#include "tests/golden/golden_unet.h"

using namespace lcm;

TEST_CASE("a T2I-Adapter's states, and what the UNet makes of them") {
    const UNet unet = golden::open_unet("models/sd15/unet");
    const T2IAdapter adapter = golden::build("models/t2iadapter", {}, [](const Json& config, WeightSet& weights) {
        return T2IAdapter(T2IAdapterConfig::from_json(config), weights);
    });
    golden::check_group("t2iadapter", [&](const golden::Case& one) -> golden::Results {
        UNetInputs inputs = golden::unet_inputs(one);
        const std::vector<at::Tensor> states = adapter.forward(one.input("image"));
        for (const at::Tensor& state : states) inputs.adapter_states.push_back(state * one.args().at("scale").as_number());
        golden::Results results{{"noise", unet.forward(inputs)}};
        for (std::size_t i = 0; i < states.size(); ++i) {
            const std::string name = fmt::format("state_{}", i);
            if (one.outputs().contains(name)) results[name] = states[i];
        }
        return results;
    });
}
