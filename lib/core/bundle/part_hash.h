#pragma once

#include <string>
#include <vector>

namespace lcm {

/// SHA-256 of the contents of `paths`, one after the other, as 64 hex digits.
///
/// Remembered in `$XDG_CACHE_HOME/lcm/sha256` (else `~/.cache/lcm/sha256`) under each file's device, inode, size and time of change.
/// A broken cache, or a folder that cannot be written, costs the time of hashing again and nothing else.
/// @throws Error(no_input), Error(io), Stopped
std::string hash_files(const std::vector<std::string>& paths);

}  // namespace lcm
