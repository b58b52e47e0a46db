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

/// The JSON text of an object with one member more, in front; `value` is JSON. @throws Error(data) where the text is no object
std::string with_member(std::string_view object, std::string_view key, std::string_view value);

}  // namespace lcm
