#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lcm {

/// Names what is no safetensors file by its first bytes; returns when they could be one or are unknown.
///
/// Eight bytes tell; more are welcome. A head shorter than that is taken for the whole input.
/// @param place  what messages call it ("record 0", "model.safetensors")
/// @throws Error(refused) for pickles and zip archives, Error(data) for GGUF, Git-LFS pointers, HTML and other known formats
void refuse_foreign(std::span<const std::byte> head, const std::string& place);

}  // namespace lcm
