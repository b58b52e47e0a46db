#include "lib/core/adapter/module_names.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <utility>
#include <vector>

#include "lib/core/weights/checkpoint_names.h"

namespace lcm {
namespace {

using Prefixes = std::initializer_list<const char*>;

/// Files for a UNet alone carry no prefix, or that of the tool that wrote them.
constexpr Prefixes unet_dotted{"", "unet.", "base_model.model.", "base_model.model.unet."};
constexpr Prefixes unet_sgm_dotted{"diffusion_model.", "model.diffusion_model."};
constexpr Prefixes unet_flat{"lora_unet_", "lycoris_unet_", "lora_", "lycoris_"};

std::set<std::string> modules_of(const ParameterShapes& parameters) {
    std::set<std::string> modules;
    for (const auto& [parameter, shape] : parameters) modules.insert(module_of(parameter));
    return modules;
}

std::string flat(std::string dotted) {
    std::ranges::replace(dotted, '.', '_');
    return dotted;
}

/// The name that old diffusers gave to the LoRA of an attention projection ("attn1.processor.to_q_lora"), or empty.
std::string processor_name(const std::string& module) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> endings{{{".to_q", ".processor.to_q_lora"},
                                                                                           {".to_k", ".processor.to_k_lora"},
                                                                                           {".to_v", ".processor.to_v_lora"},
                                                                                           {".to_out.0", ".processor.to_out_lora"},
                                                                                           {".q_proj", ".to_q_lora"},
                                                                                           {".k_proj", ".to_k_lora"},
                                                                                           {".v_proj", ".to_v_lora"},
                                                                                           {".out_proj", ".to_out_lora"}}};
    for (const auto& [ours, theirs] : endings)
        if (module.ends_with(ours)) return module.substr(0, module.size() - ours.size()) + std::string(theirs);
    return "";
}

}  // namespace

ModuleNames::ModuleNames(const ModelParameters& parameters) {
    for (const auto& [network, shapes] : parameters)
        if (network == Network::unet)
            add_unet(shapes);
        else
            add_text(network, shapes);
}

const ModuleRef* ModuleNames::find(std::string_view spelt) const {
    const auto found = modules_.find(spelt);
    return found == modules_.end() ? nullptr : &found->second;
}

void ModuleNames::add(const std::string& spelt, Network network, const std::string& module) {
    modules_.emplace(spelt, ModuleRef{network, module});
}

void ModuleNames::add_unet(const ParameterShapes& parameters) {
    for (const std::string& module : modules_of(parameters)) {
        const std::string processor = processor_name(module);
        for (const std::string prefix : unet_dotted) {
            add(prefix + module, Network::unet, module);
            if (!processor.empty()) add(prefix + processor, Network::unet, module);
        }
        for (const std::string prefix : unet_flat) add(prefix + flat(module), Network::unet, module);
    }
    std::vector<std::string> names;
    for (const auto& [parameter, shape] : parameters) names.push_back(parameter);
    for (const auto& [original, targets] : unet_checkpoint_names(names).stored) {
        const std::string module = module_of(targets.front().name), sgm = module_of(original);
        for (const std::string prefix : unet_sgm_dotted) add(prefix + sgm, Network::unet, module);
        for (const std::string prefix : unet_flat) add(prefix + flat(sgm), Network::unet, module);
    }
}

void ModuleNames::add_text(Network network, const ParameterShapes& parameters) {
    const bool second = network == Network::text_encoder_2;
    const Prefixes first_dotted{"text_encoder.", "base_model.model.text_encoder.", "base_model.model."};
    const Prefixes second_dotted{"text_encoder_2.", "base_model.model.text_encoder_2."};
    const Prefixes first_flat{"lora_te_", "lora_te1_", "lycoris_te_", "lycoris_te1_"}, second_flat{"lora_te2_", "lycoris_te2_"};
    for (const std::string& module : modules_of(parameters)) {
        for (const std::string& spelt : {"text_model." + module, module}) {
            for (const std::string prefix : second ? second_dotted : first_dotted) {
                add(prefix + spelt, network, module);
                if (const std::string processor = processor_name(spelt); !processor.empty()) add(prefix + processor, network, module);
            }
            for (const std::string prefix : second ? second_flat : first_flat) add(prefix + flat(spelt), network, module);
        }
    }
}

}  // namespace lcm
