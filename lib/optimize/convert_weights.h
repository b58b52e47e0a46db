#pragma once

#include <cstdint>
#include <string>

#include "lib/stream/dtype.h"

namespace lcm {

/// Writes the safetensors file `from` as `to` in canonical form, its F32, F16 and BF16 tensors as `target`; metadata is kept.
///
/// One tensor is in memory at a time.
/// @param lenient  open `from` so (`WeightFile`)
/// @returns bytes of tensor data written
/// @throws Error(data) naming file, tensor and index for NaN, infinity and what `target` cannot hold; Stopped
std::uint64_t convert_weights(const std::string& from, const std::string& to, Dtype target, bool lenient = false);

}  // namespace lcm
