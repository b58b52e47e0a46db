#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/bundle/bundle.h"

namespace lcm {

/// How many numbers a set of tensors holds, and in which types.
struct WeightCount {
    std::uint64_t parameters = 0, bytes = 0;
    std::map<std::string, std::uint64_t> dtypes;  ///< parameters by dtype name ("F16")
};

/// One block of a network ("down_blocks.0", "mid_block", "layers.3", "decoder").
struct BlockReport {
    std::string name;
    WeightCount count;
};

/// One part of a model: its configuration's key facts and what its weight files hold.
struct PartReport {
    std::string name;                ///< folder: "text_encoder", "text_encoder_2", "unet", "vae"
    std::string class_name;          ///< "UNet2DConditionModel"; empty when the configuration does not say
    Json::Object facts;              ///< key facts as the configuration spells them ("sample_size", ...)
    std::vector<std::string> files;  ///< weight files in name order, without the folder
    WeightCount count;
    std::vector<BlockReport> blocks;  ///< in the order data flows through the network
};

/// What `lcm-optimize inspect` says of a model.
struct ModelReport {
    std::string model;       ///< as the user named it
    std::string family;      ///< "sd15", "sd2", "sdxl"; empty without a UNet
    bool full_lcm = false;   ///< the UNet takes a guidance embedding
    Json::Object scheduler;  ///< key facts of the scheduler's configuration; empty without one
    Json::Object defaults;   ///< width, height, steps, guidance; empty without a UNet
    WeightCount count;       ///< all parts together
    std::vector<PartReport> parts;
};

/// Reads headers and configurations only, never tensor values.
/// @throws Error(data), Error(no_input), Error(refused) when a part's weight files are broken, missing or pickles
ModelReport inspect(const Bundle& bundle);

/// An aligned table for people, ending in a newline.
std::string report_text(const ModelReport& report);

/// One line of JSON with sorted keys, ending in a newline: {"count","defaults","family","full_lcm","model","parts","scheduler"}.
std::string report_json(const ModelReport& report);

}  // namespace lcm
