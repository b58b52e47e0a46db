#pragma once

#include <string>

namespace lcm {

/// What a reader checks, and what else than records it takes (stream-format, sections 4, 8, 9 and 11).
struct ReadOptions {
    bool verify = true;            ///< compare checksums; the structure is always checked
    bool nan_pass = false;         ///< let NaN and infinity through in known tensors
    bool keep_going = false;       ///< hand out error records of scope `record` instead of throwing them
    std::string assume_kind = {};  ///< take plain safetensors for records of this kind; empty: refuse them
    bool headers_only = false;     ///< pass over the data; records come without the bytes of their tensors
    bool from_comfy = false;       ///< the input is a `.latent` file of ComfyUI
};

}  // namespace lcm
