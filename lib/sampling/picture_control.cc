#include "lib/sampling/picture_control.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"

namespace lcm {

void ControlSet::add(const ControlEntry& entry, const std::string& path, const SteeredUNet& unet, const std::string& place) {
    const ControlKind& kind = control_kind(entry.kind, place);
    const bool second = std::ranges::any_of(uses, [&](const Use& use) { return use.entry.kind == entry.kind; });
    if (second && !kind.follows_map)
        throw Error(ExitCode::data, place, fmt::format("is steered by two networks of the kind {}, and can follow one", kind.title),
                    "leave one of them out");
    uses.push_back({entry, kind.open(path, unet)});
}

PictureControl::PictureControl(const ControlSet& set, const SteeredPicture& picture) {
    for (const ControlSet::Use& use : set.uses) bound_.emplace_back(use.entry.window, use.network->bind(use.entry, picture));
}

void PictureControl::add_to(UNetInputs& inputs, int step, int steps) const {
    for (const auto& [window, control] : bound_)
        if (window.holds(step, steps)) control->add_to(inputs);
}

}  // namespace lcm
