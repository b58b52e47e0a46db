#pragma once

#include <string>

namespace lcm {

/// What a reader checks, and what else than records it takes (stream-format, sections 4, 8, 9 and 11).
struct ReadOptions {
    /// Compare checksums. Where not, they may also be missing; the structure is always checked.
    bool verify = true;
    /// Let NaN and infinity through in known tensors.
    bool nan_pass = false;
    /// Hand out error records of one request instead of throwing what they tell of.
    bool keep_going = false;
    /// Take plain safetensors for records of this kind; empty: refuse them.
    std::string assume_kind = {};
    /// Take plain safetensors for a `.latent` file of ComfyUI.
    bool from_comfy = false;
};

}  // namespace lcm
