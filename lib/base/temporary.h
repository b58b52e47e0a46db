#pragma once

#include <atomic>
#include <string>

#include "lib/base/descriptor.h"

namespace lcm {

/// A new file beside another, created with O_EXCL and O_NOFOLLOW, and listed for removal on signals until it is let go.
class TemporaryFile {
public:
    /// @param beside  the path whose folder takes the file
    /// @throws Error(cannot_create) naming `beside`
    explicit TemporaryFile(const std::string& beside);
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    /// Removes the file unless it was let go.
    ~TemporaryFile() { remove(); }

    const std::string& path() const { return path_; }
    int fd() const { return descriptor_.get(); }
    /// Waits until what was written is on the disk, and closes the file. @throws Error(io) naming `path`
    void flush(const std::string& path);

    /// Renames it to `path`, over what is there. @throws Error(cannot_create)
    void take_place(const std::string& path);
    /// The file is in its place under another name: it is no longer ours to remove.
    void let_go() noexcept;
    /// Closes and removes it.
    void remove() noexcept;

private:
    bool list_for_removal();

    std::string path_;
    Descriptor descriptor_;
    std::atomic<char*>* entry_ = nullptr;  // in the list that the signal handler walks
};

}  // namespace lcm
