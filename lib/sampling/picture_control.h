#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/model/controlnet.h"
#include "lib/core/model/ip_adapter.h"
#include "lib/core/model/t2i_adapter.h"
#include "lib/stream/record.h"

namespace lcm {

/// The part of a run in which something acts, as shares of its steps.
struct StepWindow {
    double start = 0, end = 1;  ///< 0 <= start < end <= 1

    /// Step `step` of `steps` acts when it lies wholly inside.
    bool holds(int step, int steps) const;
};

/// A ControlNet and the map that it follows.
struct ControlUse {
    std::string map;  ///< `control.MAP` of the record; empty: the only one that it has
    std::shared_ptr<const ControlNet> network;
    ControlStrength strength;
    StepWindow window;
};

/// A T2I-Adapter and the map that it follows.
struct T2IUse {
    std::string map;  ///< as ControlUse
    std::shared_ptr<const T2IAdapter> network;
    double scale = 1;
    StepWindow window;
};

/// An IP-Adapter, which follows `image.features`.
struct ImagePromptUse {
    std::shared_ptr<const IPAdapter> network;
    double scale = 1;
};

/// The networks that steer a UNet beside its text.
struct ControlSet {
    std::vector<ControlUse> controls;
    std::vector<T2IUse> adapters;
    std::optional<ImagePromptUse> image_prompt;
};

/// A set of steering networks bound to the maps and features of one record. What does not change with the steps is computed once.
class PictureControl {
public:
    /// @param width,height     of the picture: that of its maps
    /// @param classifier_free  the UNet runs on two halves, the unconditional first
    /// @throws Error(data) naming record and tensor when a map or the features are absent or of another size
    PictureControl(const ControlSet& set, const Record& record, std::int64_t width, std::int64_t height, bool classifier_free);

    /// Adds what the networks say at step `step` of `steps`. @param inputs  as the UNet will get them
    void add_to(UNetInputs& inputs, int step, int steps) const;

private:
    struct BoundControl {
        const ControlUse& use;
        at::Tensor map;
    };
    struct BoundAdapter {
        const T2IUse& use;
        std::vector<at::Tensor> states;  ///< scaled
    };
    ControlResiduals residuals(const BoundControl& control, const UNetInputs& inputs) const;

    bool classifier_free_;
    std::vector<BoundControl> controls_;
    std::vector<BoundAdapter> adapters_;
    std::vector<KeyValue> image_prompt_;
};

}  // namespace lcm
