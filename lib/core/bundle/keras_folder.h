#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/core/bundle/part_source.h"

namespace lcm {

/// The files of a folder of KerasCV weights (`*.h5`, a network each), by the part that each holds; empty for a folder without such files.
/// A VAE may stand in two files, decoder and image encoder.
/// @throws Error(data) naming two files that hold the same, or one that holds no part
std::map<Part, std::vector<std::string>> find_keras_parts(const std::string& folder);

}  // namespace lcm
