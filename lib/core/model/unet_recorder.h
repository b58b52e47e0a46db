#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "lib/core/model/unet.h"
#include "lib/core/model/unet_encoder.h"
#include "lib/core/tensor/graph.h"

namespace lcm {

/// Evaluations of one UNet on a GPU, recorded by the shapes of their inputs: the first of a shape runs as it is written, the second is
/// recorded, and from there on inputs are copied to where the record reads them.
class UNetRecorder {
public:
    using Forward = std::function<UNetOutputs(const UNetInputs&, const TimeFeatures&)>;

    /// What `forward` gives for these inputs, which lie on the GPU; in memory of its own.
    UNetOutputs operator()(const UNetInputs& inputs, const TimeFeatures& time, const Forward& forward);

private:
    /// What a record reads and writes.
    struct Recorded {
        UNetInputs inputs;
        TimeFeatures time;
        UNetOutputs outputs;
        std::unique_ptr<Graph> graph;  ///< null until the second evaluation
    };
    using Shapes = std::vector<std::vector<std::int64_t>>;

    static Shapes shapes_of(const UNetInputs& inputs, const TimeFeatures& time);
    static void record(Recorded& place, const UNetInputs& inputs, const TimeFeatures& time, const Forward& forward);

    std::map<Shapes, Recorded> recorded_;
};

}  // namespace lcm
