#include "lib/core/bundle/bundle_parameters.h"

#include <utility>

namespace lcm {

ModelParameters parameters_of(const Bundle& bundle) {
    ModelParameters parameters;
    if (bundle.has(Part::unet)) parameters.emplace(Network::unet, unet_parameters(UNetConfig::from_json(bundle.config(Part::unet))));
    for (const auto& [part, network] :
         {std::pair(Part::text_encoder, Network::text_encoder), std::pair(Part::text_encoder_2, Network::text_encoder_2)})
        if (bundle.has(part)) parameters.emplace(network, text_parameters(CLIPTextConfig::from_json(bundle.config(part))));
    return parameters;
}

}  // namespace lcm
