#include "lib/core/bundle/bundle.h"
#include "lib/core/weights/name_recorder.h"

namespace lcm {

/// What the network of a part asks for gives the dictionary of its file: the network is built once without weights.
NameTable Bundle::original_names(Part part) const {
    NameRecorder recorder;
    if (part == Part::unet)
        UNet(UNetConfig::from_json(config(part)), recorder);
    else if (part == Part::vae)
        make_vae(config(part), recorder);
    else
        CLIPTextModel(CLIPTextConfig::from_json(config(part)), recorder);
    return name_table(part, source(part).layout, recorder.names());
}

std::vector<PartTensor> Bundle::tensors(Part part) const {
    const bool ours = source(part).layout.naming == Naming::diffusers;
    const NameTable table = ours ? NameTable() : original_names(part);
    const WeightSet::KeyMap map = key_map(part);
    std::vector<PartTensor> list;
    for (const WeightFile& file : weights(part)) {
        for (const auto& [stored, entry] : file.tensors()) {
            if (ours) {
                list.push_back({map ? map(stored) : stored, file.path(), entry});
                continue;
            }
            if (!stored.starts_with(table.prefix)) continue;
            const auto known = table.stored.find(stored.substr(table.prefix.size()));
            list.push_back({known == table.stored.end() ? std::string() : known->second.front().name, file.path(), entry});
        }
    }
    return list;
}

}  // namespace lcm
