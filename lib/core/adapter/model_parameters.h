#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/model/clip_text.h"
#include "lib/core/model/unet.h"

namespace lcm {

/// The networks that adapters change.
enum class Network { unet, text_encoder, text_encoder_2 };

/// "unet", "text_encoder", "text_encoder_2": as model folders call them.
std::string_view name(Network network);

/// The shape of every parameter of a network, by the name under which the network asks for it.
using ParameterShapes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;

/// The parameters of a model's networks; those that the model does not have are absent.
using ModelParameters = std::map<Network, ParameterShapes>;

/// What a network of this configuration asks for; no weights are needed. @throws Error(data) as the networks do
ParameterShapes unet_parameters(const UNetConfig& config);
ParameterShapes text_parameters(const CLIPTextConfig& config);

/// The networks of the published families with their usual depth (sd15, sdxl), for those who read an adapter without a model: names are
/// theirs, widths are those of SD 1.5 and SDXL.
ModelParameters published_parameters(std::string_view arch);

/// The module that a parameter belongs to: its name without the last part.
std::string module_of(const std::string& parameter);

/// The block that a module belongs to: "down_blocks.0", "mid_block", "layers.3"; else its first name.
std::string block_of(std::string_view module);

}  // namespace lcm
