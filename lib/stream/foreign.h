#pragma once

#include <vector>

#include "lib/stream/read_options.h"
#include "lib/stream/record.h"
#include "lib/stream/record_head.h"

namespace lcm {

/// Refuses plain safetensors that were not announced; the hint says how to announce them. @throws Error(data)
[[noreturn]] void refuse_plain(const RecordHead& head);

/// The records of one plain safetensors file (stream-format, section 11), the last one final.
///
/// With `from_comfy` as `comfy_records` says, else records of the kind to assume: one tensor of a name of its own is taken for the
/// kind's main tensor (`latent`, `text.embeds`, `noise`, `image`), all others keep their names. Where tensors have one dimension more
/// than section 6 says, it is a batch: each of its elements becomes a record.
/// @param file  all tensors and metadata as they stand in the file
/// @throws Error(data) naming the tensor that does not fit
std::vector<Record> foreign_records(const Record& file, const ReadOptions& options);

/// The elements along the first dimension, which must be there; they share the bytes.
std::vector<TensorBytes> split_batch(const TensorBytes& batch);

}  // namespace lcm
