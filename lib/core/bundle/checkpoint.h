#pragma once

#include <map>
#include <string>

#include "lib/base/json.h"
#include "lib/core/bundle/part_source.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// The parts that a checkpoint in original names holds, with their layouts. @throws Error(data) naming the file and the first tensors
/// that belong to no part and are not known to be unused, or when it holds no part at all
std::map<Part, Layout> checkpoint_parts(const WeightFile& file);

/// The folder of configuration files that stands beside a checkpoint: one of its name without the ending, else its own folder where
/// that is a model folder in diffusers layout; empty when there is none.
std::string config_folder_beside(const std::string& path);

/// The published scheduler settings of a checkpoint without configuration: its family's betas, and the prediction type that the file
/// or its family tells. Null for a family that was published with several and a file that tells none.
Json published_scheduler(const WeightFile& file, const std::string& family);

}  // namespace lcm
