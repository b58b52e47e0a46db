#pragma once

#include <memory>
#include <string>

#include "lib/core/model/controlnet.h"
#include "lib/core/model/ip_adapter.h"
#include "lib/core/model/t2i_adapter.h"
#include "lib/sampling/control_kind.h"

namespace lcm {

/// The ControlNet of a folder in diffusers layout, or of a weight file in its names or the original ones.
/// @throws Error(no_input), Error(data) when it is broken or does not fit the UNet
std::shared_ptr<const ControlNet> open_controlnet(const std::string& path, const SteeredUNet& unet);

/// The same of a T2I-Adapter.
std::shared_ptr<const T2IAdapter> open_t2i_adapter(const std::string& path, const SteeredUNet& unet);

/// The IP-Adapter of a weight file.
std::shared_ptr<const IPAdapter> open_ip_adapter(const std::string& file, const SteeredUNet& unet);

}  // namespace lcm
