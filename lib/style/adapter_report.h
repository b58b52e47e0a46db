#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/core/adapter/adapter_file.h"

namespace lcm {

/// What an adapter changes in one block of a network.
struct AdapterBlock {
    std::string network;  ///< "unet", "text_encoder", "text_encoder_2"
    std::string block;    ///< "down_blocks.0", "mid_block", "layers.3"
    std::uint64_t changes = 0;
    double norm = 0;  ///< Frobenius norm of all its changes at weight 1, without the magnitudes of a DoRA
};

/// What `lcm-stylize info` tells of an adapter file.
struct AdapterReport {
    std::string file, sha256;
    std::string family;                            ///< whose names it uses: "sd15", "sdxl", or the model it was compared with
    std::map<std::string, std::uint64_t> formats;  ///< changes by format
    std::map<std::string, std::uint64_t> targets;  ///< changes by network
    std::set<std::int64_t> ranks;                  ///< 0: stored whole
    std::set<double> alphas;                       ///< as recorded; none: the rank
    bool dora = false;
    std::vector<AdapterBlock> blocks;  ///< in name order
    std::vector<std::string> unused;   ///< tensors that no module answers to
};

/// Reads an adapter against the published families, and takes the one that leaves the fewest tensors unused.
/// @throws Error as open_adapter_file; Error(data) when the file holds nothing that is known
AdapterReport report_adapter(const std::string& path, const std::string& sha256);

/// The same against one model. @param family  what the report calls it
AdapterReport report_adapter(const std::string& path, const std::string& sha256, const std::string& family, const ModelParameters& model);

/// A table for people, ending in a newline.
std::string adapter_report_text(const AdapterReport& report);
/// One line of JSON with sorted keys, ending in a newline.
std::string adapter_report_json(const AdapterReport& report);

}  // namespace lcm
