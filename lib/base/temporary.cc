#include "lib/base/temporary.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "lib/base/error.h"
#include "lib/base/file.h"

namespace lcm {

namespace {

// The list that a signal handler walks: fixed slots, each an owned path, or `being_removed` while the handler has borrowed it.
constexpr std::size_t most_temporary_files = 64;
std::atomic<char*> listed[most_temporary_files];
char being_removed[1];
static_assert(std::atomic<char*>::is_always_lock_free, "read in a signal handler");

std::string random_path_beside(const std::string& beside) {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) throw_errno(ExitCode::system, "getrandom", "cannot draw a file name");
    const std::size_t slash = beside.rfind('/');
    const std::string folder = slash == std::string::npos ? "" : beside.substr(0, slash + 1);
    return fmt::format("{}.lcm-{:016x}.tmp", folder, number);
}

}  // namespace

TemporaryFile::TemporaryFile(const std::string& beside) {
    do {
        let_go();
        path_ = random_path_beside(beside);
        if (!list_for_removal())  // before it exists, so that no signal finds it unlisted
            throw Error(ExitCode::software, beside, "too many output files are open at once");
        descriptor_ = Descriptor(open_descriptor(path_, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0666));
    } while (descriptor_.get() < 0 && errno == EEXIST);
    if (descriptor_.get() < 0) {
        const int reason = errno;
        let_go();
        errno = reason;
        throw_errno(ExitCode::cannot_create, beside, "cannot create");
    }
}

bool TemporaryFile::list_for_removal() {
    char* copy = ::strdup(path_.c_str());
    if (copy == nullptr) throw std::bad_alloc();
    for (std::atomic<char*>& slot : listed) {
        char* empty = nullptr;
        if (slot.compare_exchange_strong(empty, copy)) {
            entry_ = &slot;
            return true;
        }
    }
    std::free(copy);
    return false;
}

void TemporaryFile::flush(const std::string& path) {
    // Some file systems cannot sync (EINVAL); there the rename alone must do.
    if (::fsync(fd()) != 0 && errno != EINVAL) throw_errno(ExitCode::io, path, "cannot flush to the disk");
    close_checked(std::move(descriptor_), path);
}

void TemporaryFile::take_place(const std::string& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) throw_errno(ExitCode::cannot_create, path, "cannot create");
    let_go();
}

void TemporaryFile::let_go() noexcept {
    if (entry_ != nullptr) {
        char* const path = entry_->exchange(nullptr);
        std::free(path == being_removed ? nullptr : path);  // a handler in another thread still reads a borrowed path
        entry_ = nullptr;
    }
}

void TemporaryFile::remove() noexcept {
    if (entry_ != nullptr) {
        ::unlink(path_.c_str());
        let_go();
    }
    const Descriptor closing = std::move(descriptor_);
}

void remove_temporary_files() noexcept {
    for (std::atomic<char*>& slot : listed) {
        char* path = slot.load();
        if (path != nullptr && path != being_removed && slot.compare_exchange_strong(path, being_removed)) {
            ::unlink(path);
            char* borrowed = being_removed;
            slot.compare_exchange_strong(borrowed, path);
        }
    }
}

}  // namespace lcm
