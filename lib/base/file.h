#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/base/bytes.h"

namespace lcm {

/// What to do when the output file is already there.
enum class Existing {
    replace,     ///< rename over it
    keep,        ///< refuse, exit code 73 (`--no-clobber`)
    keep_equal,  ///< leave it and its time alone when the bytes are equal, else replace it (`--if-changed`)
};

/// A sink that writes a temporary file beside `path` (O_EXCL, O_NOFOLLOW), and fsyncs and renames it in `finish()`.
///
/// Nothing is visible under `path` before that; the temporary file is removed on every error path and on signals.
/// Special files (`/dev/null`, a FIFO) are written directly. A symbolic link to a file is replaced, its target untouched.
/// @throws Error(cannot_create) when the folder is missing or not writable
std::unique_ptr<ByteSink> sink_to_file(const std::string& path, Existing existing = Existing::replace);

/// Removes every temporary file that is still open. Async-signal-safe.
void remove_temporary_files() noexcept;

/// The whole of a regular file as text. @throws Error(no_input), Error(data) above `limit`
std::string read_text_file(const std::string& path, std::uint64_t limit);

/// A read-only mapping of a whole regular file; shared by copies, unmapped with the last.
class MappedFile {
public:
    /// @throws Error(no_input) when it cannot be opened, is a directory or a pipe
    explicit MappedFile(const std::string& path);

    std::span<const std::byte> bytes() const { return bytes_; }
    const std::string& path() const { return path_; }
    /// Keeps the mapping alive.
    const std::shared_ptr<const void>& owner() const { return owner_; }

private:
    std::string path_;
    std::shared_ptr<const void> owner_;
    std::span<const std::byte> bytes_;
};

}  // namespace lcm
