#pragma once

#include <c10/core/Device.h>

#include <string>
#include <string_view>

#include "lib/stream/record.h"

namespace lcm {

/// Whether `text` names where networks may compute: "auto", "cpu", "cuda" or "cuda:N".
bool is_device_name(std::string_view text);

/// The device of that name; "auto" is the first GPU where this libtorch finds one, else the CPU.
///
/// A GPU that is chosen computes f32 in f32 (no TF32) and takes those ways alone that give the same bytes each time.
/// @throws Error(unavailable) for a GPU that is not there
at::Device device_named(std::string_view text);

/// What the device is called: "cpu", or the name of the GPU.
std::string model_name(at::Device device);

/// Writes that networks on `device` made what the record holds (`lcm.device`): a GPU rounds in another order. Of the CPU nothing is said.
void sign_device(Record& record, at::Device device);

}  // namespace lcm
