#pragma once

#include "lib/core/model/unet.h"
#include "tests/golden/golden_model.h"

namespace lcm::golden {

/// The UNet of a folder under testdata/golden.
inline UNet open_unet(const std::string& part) {
    return build(part, {}, [](const Json& config, WeightSet& weights) { return UNet(UNetConfig::from_json(config), weights); });
}

/// `in.sample`, `in.t` and `in.context` of a case.
inline UNetInputs unet_inputs(const Case& one) {
    UNetInputs inputs;
    inputs.sample = one.input("sample");
    inputs.timestep = one.input("t");
    inputs.context = one.input("context");
    return inputs;
}

}  // namespace lcm::golden
