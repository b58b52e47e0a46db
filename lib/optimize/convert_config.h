#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/stream/dtype.h"

namespace lcm {

/// The text of a `config.json` with the type that transformers record in it (`dtype`, `torch_dtype` before version 5) set to `target`,
/// where there is one. All else stays as written: to some readers 1.0 and 1 are not the same.
std::string with_dtype(std::string_view config, Dtype target);

/// The text of a `.safetensors.index.json` with its `total_size` set.
std::string with_total_size(std::string_view index, std::uint64_t bytes);

}  // namespace lcm
