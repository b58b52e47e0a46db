#include "lib/optimize/output_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "lib/base/descriptor.h"
#include "lib/base/error.h"
#include "lib/core/bundle/bundle.h"

namespace lcm {

namespace {

namespace fs = std::filesystem;

/// `path` without slashes at its end.
std::string trimmed(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

/// Only a model folder is ever replaced, since the old one is removed: a mistyped name must not cost a home folder.
void expect_replaceable(const std::string& path) {
    try {
        Bundle::open(path);
    } catch (const Error&) {
        throw Error(ExitCode::cannot_create, path, "is already there and is no model folder", "remove it, or give another name");
    }
}

/// What was written below `folder` reaches the disk before the rename that shows it.
void sync_folder(const std::string& folder) {
    const Descriptor opened(open_descriptor(folder, O_RDONLY | O_DIRECTORY));
    if (opened.get() < 0) throw_errno(ExitCode::io, folder, "cannot open");
    if (::fsync(opened.get()) != 0 && errno != EINVAL) throw_errno(ExitCode::io, folder, "cannot flush to the disk");
}

std::string random_name_beside(const std::string& path) {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) throw_errno(ExitCode::system, "getrandom", "cannot draw a folder name");
    return (fs::path(path).parent_path() / fmt::format(".lcm-{:016x}.tmp", number)).string();
}

}  // namespace

OutputFolder::OutputFolder(const std::string& path, Existing existing) : path_(trimmed(path)) {
    struct stat status;
    if (::lstat(path_.c_str(), &status) == 0) {
        if (existing == Existing::keep)
            throw Error(ExitCode::cannot_create, path_, "is already there", "give another name, or replace it with --force");
        expect_replaceable(path_);
        replaces_ = true;
    }
    std::string temporary = random_name_beside(path_);
    if (::mkdir(temporary.c_str(), 0777) != 0) throw_errno(ExitCode::cannot_create, path_, "cannot create");
    temporary_ = std::move(temporary);
}

OutputFolder::~OutputFolder() {
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

void OutputFolder::finish() {
    for (const auto& entry : fs::recursive_directory_iterator(temporary_))
        if (entry.is_directory()) sync_folder(entry.path());
    sync_folder(temporary_);
    if (replaces_) {
        swap_with_old();
    } else {
        // Without RENAME_NOREPLACE an empty folder made meanwhile would be replaced: that loses nothing.
        if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw_errno(ExitCode::cannot_create, path_, "cannot create");
        temporary_.clear();
    }
    const std::string parent = fs::path(path_).parent_path().string();
    sync_folder(parent.empty() ? "." : parent);
}

void OutputFolder::swap_with_old() {
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) != 0)
        throw_errno(ExitCode::cannot_create, path_, "cannot replace");
    // The old folder now stands under the temporary name, and the destructor removes it.
}

}  // namespace lcm
