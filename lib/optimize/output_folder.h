#pragma once

#include <string>

#include "lib/base/descriptor.h"
#include "lib/base/file.h"

namespace lcm {

/// A folder that appears whole or not at all: it is filled beside its place and renamed by `finish()`. What a killed run left half-built
/// beside it is removed first: a running one holds a lock on its own.
class OutputFolder {
public:
    /// @throws Error(cannot_create) when something stands at `path` that may not be replaced, or the folder cannot be made
    OutputFolder(const std::string& path, Existing existing);
    OutputFolder(const OutputFolder&) = delete;
    OutputFolder& operator=(const OutputFolder&) = delete;
    /// Removes all that was written, unless `finish()` was called.
    ~OutputFolder();

    /// Where to write until then.
    const std::string& temporary_path() const { return temporary_; }

    /// Flushes the folders to the disk and renames; an old folder is removed afterwards. @throws Error(cannot_create), Error(io)
    void finish();

private:
    void make_temporary();
    void swap_with_old();

    std::string path_, temporary_;
    Descriptor lock_;  ///< of the temporary folder, for as long as it is being filled
    bool replaces_ = false;
};

}  // namespace lcm
