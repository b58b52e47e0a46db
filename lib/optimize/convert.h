#pragma once

#include <string>

#include "lib/base/file.h"
#include "lib/stream/dtype.h"

namespace lcm {

/// Copies the model folder `model_dir` to `out_dir` with every F32, F16 and BF16 weight stored as `target`; other types stay.
///
/// Configuration, tokenizer and licence files come along; a configuration's `dtype` is kept truthful. Weights are read from
/// safetensors and written in canonical form, tensor by tensor, in memory of one tensor. The folder is built beside
/// `out_dir` and renamed into place when it is whole: nothing is left behind on an error or a stop.
/// @param target    F32, F16 or BF16
/// @param lenient   open weight files so (`WeightFile`); what is written is canonical
/// @param existing  `replace` swaps an existing model folder; any other existing file or folder is refused
/// @throws Error(usage) for another target, or when one folder lies in the other; Error(cannot_create) when `out_dir` exists
///         or cannot be made; Error(data) naming file, tensor and index of a value too large for F16; Stopped
void convert(const std::string& model_dir, const std::string& out_dir, Dtype target, Existing existing = Existing::keep,
             bool lenient = false);

}  // namespace lcm
