#pragma once

#include <optional>

#include "lib/core/model/controlnet.h"
#include "lib/core/model/t2i_adapter.h"
#include "lib/core/weights/name_table.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// What a weight file without a configuration beside it says of its network.
template <typename Config>
struct ControlFile {
    Config config;
    std::optional<NameTable> names;  ///< of a file in original names; nothing: it has ours
};

/// Reads a file for a UNet.
template <typename Config>
using ControlFileReader = ControlFile<Config> (*)(const WeightFile& file, const UNetConfig& unet);

/// A ControlNet in the names of its original code (`input_hint_block`, `zero_convs`), with or without `control_model.` before them, or in
/// those of diffusers. It copies the UNet's way down, so what shapes do not tell (head counts) is the UNet's.
/// @throws Error(data) naming file and tensor when it is none, does not fit the UNet, or holds tensors of no known network
ControlFile<ControlNetConfig> read_controlnet_file(const WeightFile& file, const UNetConfig& unet);

/// A T2I-Adapter in the names of its original code, whose body is one flat list, or in those of diffusers. @throws Error(data)
ControlFile<T2IAdapterConfig> read_t2i_adapter_file(const WeightFile& file, const UNetConfig& unet);

}  // namespace lcm
