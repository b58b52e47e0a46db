#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/stream/header.h"
#include "lib/stream/read_options.h"
#include "lib/stream/record.h"

namespace lcm {

/// True for safetensors without any `lcm.` key: no record of ours.
bool is_foreign(const Header& header);

/// What to do about foreign safetensors that were not announced.
std::string foreign_fix(const Header& header);

/// The records of one foreign file, the last one final (stream-format, section 11).
///
/// A file of ComfyUI (`from_comfy`) becomes latents in unscaled VAE space. Other files become records of the kind to assume: tensors
/// with names of section 6 as they are, one tensor of another name under the main name of the kind. Batches [B,...] become B records.
/// @param data  all data bytes, kept alive by `owner`
/// @throws Error(data) naming the tensor that does not fit
std::vector<Record> foreign_records(const Header& header, std::span<const std::byte> data, const std::shared_ptr<const void>& owner,
                                    const ReadOptions& options, const std::string& place);

}  // namespace lcm
