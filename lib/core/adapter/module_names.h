#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "lib/core/adapter/model_parameters.h"

namespace lcm {

/// A module of one of a model's networks, under our name.
struct ModuleRef {
    Network network = Network::unet;
    std::string module;  ///< "down_blocks.0.resnets.0.conv1"
};

/// Every spelling under which adapter files name the modules of one model.
///
/// Names are never taken apart: each module is spelt out in all dialects (diffusers, sgm, kohya, PEFT, LyCORIS, attention processors) and
/// names of files are looked up.
class ModuleNames {
public:
    explicit ModuleNames(const ModelParameters& parameters);

    /// The module, or nullptr when the model has none of that name.
    const ModuleRef* find(std::string_view spelt) const;

private:
    void add_unet(const ParameterShapes& parameters);
    void add_text(Network network, const ParameterShapes& parameters);
    void add(const std::string& spelt, Network network, const std::string& module);

    std::map<std::string, ModuleRef, std::less<>> modules_;
};

}  // namespace lcm
