#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/sampling/control_kind.h"

namespace lcm {

/// The networks that steer a UNet beside its text.
struct ControlSet {
    /// A network and how it is used.
    struct Use {
        ControlEntry entry;
        std::shared_ptr<const ControlNetwork> network;
    };
    std::vector<Use> uses;
    std::string identity = {};  ///< equal when the networks are and steer alike; empty for none

    /// Opens the network at `path` as the entry says. @param place  of the record that asks for it
    /// @throws Error(no_input), Error(data) when there is no such kind, when the network is broken or does not fit the UNet, and for a
    ///         second one of a kind of which a picture has one
    void add(const ControlEntry& entry, const std::string& path, const SteeredUNet& unet, const std::string& place);
};

/// A set of steering networks bound to the maps and features of one record.
class PictureControl {
public:
    /// @throws Error(data) naming record and tensor when a map or the features are absent or of another size
    PictureControl(const ControlSet& set, const SteeredPicture& picture);

    /// Adds what the networks say at step `step` of `steps`. @param inputs  as the UNet will get them
    void add_to(UNetInputs& inputs, int step, int steps) const;

private:
    std::vector<std::pair<StepWindow, std::unique_ptr<BoundControl>>> bound_;
};

}  // namespace lcm
