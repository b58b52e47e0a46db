#pragma once

#include <string>
#include <vector>

#include "lib/core/weights/keras_file.h"

namespace lcm {

/// A weight of a Keras file under the name that the original code of Stable Diffusion gives it.
struct NamedKerasWeight {
    std::string name;
    KerasWeight stored;
    std::vector<std::int64_t> order;  ///< side i of our shape is this one of the stored shape; empty: as it is stored
};

/// The names of KerasCV's Stable Diffusion: its text encoder, diffusion model, decoder or image encoder, told apart by their layers.
///
/// Keras goes by order alone, and so does this: a layer's kind shows in the number and the sides of its weights (`11` a norm, `41` a
/// convolution, ...), its place in the network in the order of kinds. Sources: keras-team/keras-cv, `models/stable_diffusion`.
/// @param path  of the file, for messages. @throws Error(data) naming file and layer
std::vector<NamedKerasWeight> name_keras_weights(const std::vector<KerasLayer>& layers, const std::string& path);

}  // namespace lcm
