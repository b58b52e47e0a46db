#pragma once

#include <map>
#include <optional>
#include <string>

#include "lib/core/adapter/module_names.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// What PEFT writes beside the tensors: alpha of each module and how it is divided by the rank.
class PeftConfig {
public:
    /// The header's `lora_adapter_metadata` (diffusers), else `adapter_config.json` beside a file that is named as PEFT names it, else
    /// nothing. @throws Error(data) naming file and key for settings that this program does not apply
    static PeftConfig of(const WeightFile& file);

    /// Alpha of a module; nothing: alpha is the rank.
    std::optional<double> alpha(const ModuleRef& module) const;
    bool rank_stabilized(Network network) const;

private:
    /// The configuration of one network.
    struct Settings {
        std::optional<double> alpha;
        bool rank_stabilized = false;
        std::map<std::string, double> alpha_pattern;  ///< by module, or by how its name ends
    };
    const Settings* settings(Network network) const;
    static Settings read(const Json& json, const std::string& prefix);

    std::map<Network, Settings> networks_;
};

}  // namespace lcm
