#pragma once

#include <string>

namespace lcm::golden {

/// Writes CLIP's published vocabulary as `vocab.json` and `merges.txt` into `folder`, from the merge list in testdata/clip-bpe.
/// @throws std::runtime_error when the list cannot be read
void write_clip_vocabulary(const std::string& folder);

}  // namespace lcm::golden
