#pragma once

#include <string>

#include "lib/base/json.h"
#include "lib/core/bundle/part_source.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// The configuration of a part by the shapes of its weights, in the keys of diffusers and transformers.
///
/// What shapes cannot tell (head counts, the scaling factor, the activation) is that of the published family of these widths.
/// @param family  of the model, for a VAE: "sdxl" has another scaling factor
/// @throws Error(data) naming file and tensor when the weights are those of no published family
Json config_from_shapes(const WeightFile& file, Part part, const Layout& layout, const std::string& family);

}  // namespace lcm
