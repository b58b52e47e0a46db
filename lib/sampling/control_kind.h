#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "lib/core/adapter/control_entry.h"
#include "lib/core/model/unet.h"
#include "lib/stream/record.h"

namespace lcm {

/// The UNet that networks are to steer.
struct SteeredUNet {
    SteeredUNet(UNetConfig unet, at::Device where = at::kCPU) : config(std::move(unet)), device(where) {}

    UNetConfig config;
    at::Device device;                 ///< where it computes, and so does what steers it
    at::ScalarType type = at::kFloat;  ///< what it computes in, and so does what steers it at every step
    bool pack_cache = false;           ///< keep packed weights of large networks in the user's cache (`pack_cache.h`)
};

/// The picture that steering networks are bound to.
struct SteeredPicture {
    const Record& record;
    std::int64_t width = 0, height = 0;  ///< pixels: those of its maps
    bool classifier_free = false;        ///< the UNet runs on two halves, the unconditional first

    /// `control.NAME` as [1,3,H,W] in 0..1. @param name  empty: the only map of the record
    /// @throws Error(data) naming record and tensor when it is absent, of another size, or must be named
    at::Tensor map(const std::string& name) const;
};

/// The name of the map that a network follows: the one asked for, else the record's only one. @throws Error(data) when it must be named
std::string followed_map(const Record& record, const std::string& wished);

/// A steering network bound to one picture: what does not change with the steps is computed once.
class BoundControl {
public:
    virtual ~BoundControl() = default;
    /// Adds what the network says to what the UNet will get, and to what others have said.
    virtual void add_to(UNetInputs& inputs) const = 0;
};

/// A network that steers a UNet beside its text.
class ControlNetwork {
public:
    virtual ~ControlNetwork() = default;
    /// The network must live as long as what it is bound to. @throws Error(data) when the picture's record lacks what the network follows
    virtual std::unique_ptr<BoundControl> bind(const ControlEntry& use, const SteeredPicture& picture) const = 0;
};

/// A kind of steering network: its name and flag, and how one is opened. One `ControlKind` a file; the list is in `control_kind.cc`.
struct ControlKind {
    std::string_view name;    ///< in records and, with "--", the flag
    std::string_view title;   ///< in recipes
    const char* help;         ///< of the flag
    const char* value;        ///< what stands behind the flag
    bool follows_map = true;  ///< `control.MAP`, in a share of the steps; else `image.features`, of which a picture has one
    bool may_guess = false;   ///< it knows `ControlEntry::guess`
    /// @throws Error(no_input), Error(data) when it is broken or does not fit the UNet
    std::shared_ptr<const ControlNetwork> (*open)(const std::string& path, const SteeredUNet& unet);
};

/// All kinds, in the order of their flags.
std::span<const ControlKind* const> control_kinds();

/// The kind of this name, or null.
const ControlKind* find_control_kind(std::string_view name);

/// @param place  of the record that asks for it. @throws Error(data) when there is none of that name
const ControlKind& control_kind(const std::string& name, const std::string& place);

}  // namespace lcm
