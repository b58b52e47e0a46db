#include "tests/golden/pipeline_tools.h"

#include <map>
#include <memory>

#include "lib/core/adapter/adapted_weights.h"
#include "lib/core/adapter/lora_adapter.h"
#include "lib/core/bundle/bundle_parameters.h"

namespace lcm::golden {
namespace {

ModelFiles files_of(const PipelineSetup& setup) {
    ModelFiles files;
    files.path = folder() + "/" + setup.model;
    if (!setup.vae.empty()) files.parts[Part::vae] = folder() + "/" + setup.vae;
    return files;
}

AdapterSet adapters_of(const PipelineSetup& setup, const Bundle& bundle) {
    AdapterSet set;
    if (setup.loras.empty()) return set;
    const AdapterTarget target(parameters_of(bundle));
    for (const LoraUse& use : setup.loras) {
        AdapterFile file = open_adapter_file(adapter_weights(folder() + "/" + use.path), target.names);
        set.adapters.push_back(std::make_shared<LoraAdapter>(std::move(file), LoraAdapter::Strength{.weight = use.weight}, target));
    }
    return set;
}

TextSettings text_of(const PipelineSetup& setup, const AdapterSet& adapters) {
    TextSettings settings{.clip_skip = setup.clip_skip};
    settings.layers[Part::text_encoder] = weight_layer(adapters, Network::text_encoder);
    settings.layers[Part::text_encoder_2] = weight_layer(adapters, Network::text_encoder_2);
    return settings;
}

std::vector<LoraUse> loras_of(const Json& args) {
    std::vector<LoraUse> uses;
    const Json* list = args.find("lora");
    if (!list) return uses;
    for (const Json& pair : list->as_array()) uses.push_back({pair.as_array().at(0).as_string(), pair.as_array().at(1).as_number()});
    return uses;
}

}  // namespace

PipelineTools::PipelineTools(const PipelineSetup& setup)
    : bundle(Bundle::open(files_of(setup))),
      adapters(adapters_of(setup, bundle)),
      encoder(bundle, text_of(setup, adapters)),
      denoiser(bundle, adapters),
      renderer(bundle) {}

PipelineTools& tools_of(const Case& one) {
    static std::map<PipelineSetup, PipelineTools> opened;
    const Json& args = one.args();
    const auto clip_skip = static_cast<int>(args.at("call").get("clip_skip", std::int64_t{0}));
    const PipelineSetup setup{args.at("model").as_string(), args.get("vae", ""), clip_skip, loras_of(args)};
    return opened.try_emplace(setup, setup).first->second;
}

}  // namespace lcm::golden
