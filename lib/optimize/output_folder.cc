#include "lib/optimize/output_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string_view>

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

constexpr std::string_view name_begin = ".lcm-", name_end = ".tmp";
constexpr std::size_t name_digits = 16;

std::string random_name_beside(const std::string& path) {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) throw_errno(ExitCode::system, "getrandom", "cannot draw a folder name");
    return (fs::path(path).parent_path() / fmt::format("{}{:016x}{}", name_begin, number, name_end)).string();
}

bool is_temporary_name(std::string_view name) {
    if (name.size() != name_begin.size() + name_digits + name_end.size()) return false;
    return name.starts_with(name_begin) && name.ends_with(name_end) &&
           name.substr(name_begin.size(), name_digits).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The folder, locked; no descriptor where another process holds the lock or the file system has none.
Descriptor locked(const std::string& folder) {
    Descriptor opened(open_descriptor(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (opened.get() >= 0 && ::flock(opened.get(), LOCK_EX | LOCK_NB) == 0) return opened;
    return Descriptor();
}

/// Removes our own half-built folders beside `path` that no process is filling.
void remove_stale_beside(const std::string& path) {
    const fs::path parent = fs::path(path).parent_path();
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(parent.empty() ? fs::path(".") : parent, ignored)) {
        struct stat status;
        const std::string folder = entry.path();
        if (!is_temporary_name(entry.path().filename().string()) || ::lstat(folder.c_str(), &status) != 0) continue;
        if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) continue;
        const Descriptor lock = locked(folder);
        if (lock.get() >= 0) fs::remove_all(folder, ignored);
    }
}

bool is_removed(const Descriptor& folder) {
    struct stat status;
    return ::fstat(folder.get(), &status) == 0 && status.st_nlink == 0;
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
    remove_stale_beside(path_);
    make_temporary();
}

/// Another process may take the folder for a stale one before it is locked, and remove it: then the next name is tried.
void OutputFolder::make_temporary() {
    do {
        const std::string temporary = random_name_beside(path_);
        if (::mkdir(temporary.c_str(), 0777) != 0) throw_errno(ExitCode::cannot_create, path_, "cannot create");
        temporary_ = temporary;
        lock_ = locked(temporary);
    } while (lock_.get() >= 0 ? is_removed(lock_) : !fs::exists(temporary_));
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
