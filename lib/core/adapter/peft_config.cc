#include "lib/core/adapter/peft_config.h"

#include <fmt/format.h>

#include <filesystem>

#include "lib/base/error.h"
#include "lib/base/json.h"

namespace lcm {
namespace {

constexpr const char* header_key = "lora_adapter_metadata";
constexpr Network networks[] = {Network::unet, Network::text_encoder, Network::text_encoder_2};

[[noreturn]] void refuse(const Json& value, const std::string& what) {
    throw Error(ExitCode::data, value.place(), what, "merge the adapter with the library that wrote it, or export it as kohya LoRA");
}

}  // namespace

PeftConfig PeftConfig::of(const WeightFile& file) {
    PeftConfig config;
    if (const auto header = file.metadata().find(header_key); header != file.metadata().end()) {
        const Json json = parse_json(header->second, fmt::format("{}: {}", file.path(), header_key));
        for (const Network network : networks) {
            const std::string prefix = std::string(name(network)) + ".";
            for (const auto& [key, value] : json.as_object())
                if (key.starts_with(prefix)) config.networks_[network] = read(json, prefix);
        }
        return config;
    }
    const std::filesystem::path path(file.path());
    const std::string beside = (path.parent_path() / "adapter_config.json").string();
    std::error_code ignored;
    if (path.filename() != "adapter_model.safetensors" || !std::filesystem::exists(beside, ignored)) return config;
    const Settings settings = read(read_json_file(beside), "");
    for (const Network network : networks) config.networks_[network] = settings;
    return config;
}

PeftConfig::Settings PeftConfig::read(const Json& json, const std::string& prefix) {
    if (const Json* type = json.find(prefix + "peft_type"); type && type->as_string() != "LORA")
        refuse(*type, fmt::format("adapters of PEFT type {} are not applied", type->as_string()));
    for (const char* unsupported : {"fan_in_fan_out", "use_qalora", "use_bdlora"})
        if (const Json* value = json.find(prefix + unsupported); value && value->as_bool()) refuse(*value, "this setting is not applied");
    Settings settings;
    if (const Json* alpha = json.find(prefix + "lora_alpha")) settings.alpha = alpha->as_number();
    settings.rank_stabilized = json.get(prefix + "use_rslora", false);
    if (const Json* pattern = json.find(prefix + "alpha_pattern"))
        for (const auto& [module, value] : pattern->as_object()) {
            if (module.find_first_of("*+?[](){}|\\$") != std::string::npos) refuse(value, "patterns are read as names, not as expressions");
            settings.alpha_pattern[module.starts_with('^') ? module.substr(1) : module] = value.as_number();
        }
    return settings;
}

const PeftConfig::Settings* PeftConfig::settings(Network network) const {
    const auto found = networks_.find(network);
    return found == networks_.end() ? nullptr : &found->second;
}

std::optional<double> PeftConfig::alpha(const ModuleRef& module) const {
    const Settings* own = settings(module.network);
    if (!own) return std::nullopt;
    // The text encoders of transformers stand one name deeper than ours.
    const std::string full = module.network == Network::unet ? module.module : "text_model." + module.module;
    for (const auto& [pattern, alpha] : own->alpha_pattern)
        if (full == pattern || full.ends_with("." + pattern)) return alpha;
    return own->alpha;
}

bool PeftConfig::rank_stabilized(Network network) const {
    const Settings* own = settings(network);
    return own && own->rank_stabilized;
}

}  // namespace lcm
