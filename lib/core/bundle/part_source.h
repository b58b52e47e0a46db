#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/weights/name_table.h"
#include "lib/core/weights/weight_file.h"
#include "lib/core/weights/weight_set.h"

namespace lcm {

/// The parts of a model that have weights.
enum class Part { text_encoder, text_encoder_2, unet, vae };

/// All parts, in the order they are used.
inline constexpr Part all_parts[] = {Part::text_encoder, Part::text_encoder_2, Part::unet, Part::vae};

/// Folder name of a part: "text_encoder", "text_encoder_2", "unet", "vae".
std::string_view folder(Part part);

/// How the parameters of a part are named in its files.
enum class Naming {
    diffusers,     ///< as diffusers and transformers do, the names of our networks
    original,      ///< as the code of LDM and SGM does; the text encoder of transformers inside
    open_clip,     ///< a text encoder of OpenCLIP
    tiny,          ///< a tiny VAE as TAESD's own code numbers it, both halves with their names before the numbers
    tiny_encoder,  ///< one half of it in a file of its own, bare numbers
    tiny_decoder,
};

/// The names in a file: whose, and what stands before each name of the part.
struct Layout {
    Naming naming = Naming::diffusers;
    std::string prefix;  ///< with its dot; empty in a file of the part's own
};

/// Where one part comes from.
struct PartSource {
    std::string path;                ///< its folder in diffusers layout, or its weight file
    std::vector<std::string> files;  ///< the weight files of one that is no folder in diffusers layout
    Layout layout;
    Json config;  ///< null: by the shapes of its weights
};

/// The layout of `part` in `file`, by the name of one parameter that each network has; nothing when the part is not in it.
std::optional<Layout> find_layout(const WeightFile& file, Part part);

/// The names of a part in diffusers layout -> those that our networks ask for.
WeightSet::KeyMap key_map(Part part);

/// The dictionary of a file that is not in diffusers layout, for a network that asks for the parameters `ours`.
NameTable name_table(Part part, const Layout& layout, const std::vector<std::string>& ours);

}  // namespace lcm
