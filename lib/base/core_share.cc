#include "lib/base/core_share.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/sha256.h"

namespace lcm {

namespace {

constexpr int seats = 32;  // tools beyond them are not counted
constexpr const char* folder = "/dev/shm";

struct flock seats_lock(int first, int count, short type) {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = first;
    lock.l_len = count;
    return lock;
}

/// A regular file of this user, else nothing: the folder is everyone's.
int open_own(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat status = {};
    if (descriptor >= 0 && ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid()) return descriptor;
    if (descriptor >= 0) ::close(descriptor);
    return -1;
}

}  // namespace

CoreShare::CoreShare(int cores, const std::string& path) : cores_(std::max(1, cores)) {
    if (!path.empty()) descriptor_ = open_own(path);
}

CoreShare::~CoreShare() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

// Locks of the open file, not of the process: two shares in one process are two tools.
bool CoreShare::lock(int seat, bool take) const {
    struct flock lock = seats_lock(seat, 1, take ? F_WRLCK : F_UNLCK);
    return ::fcntl(descriptor_, F_OFD_SETLK, &lock) == 0;
}

void CoreShare::begin() {
    if (descriptor_ < 0 || seat_ >= 0) return;
    for (int seat = 0; seat < seats && seat_ < 0; ++seat)
        if (lock(seat, true)) seat_ = seat;
}

void CoreShare::end() {
    if (seat_ >= 0) lock(seat_, false);
    seat_ = -1;
}

/// How many other tools hold a seat from `first` to before `last`. The kernel names one lock, not always the first; mostly there is none.
int CoreShare::others(int first, int last) const {
    if (first >= last) return 0;
    struct flock lock = seats_lock(first, last - first, F_WRLCK);
    if (::fcntl(descriptor_, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
    const int seat = std::max(first, static_cast<int>(lock.l_start));  // a lock of somebody else may be longer than a seat
    return others(first, seat) + 1 + others(seat + 1, last);
}

int CoreShare::cores() const { return descriptor_ < 0 ? cores_ : std::max(1, cores_ / (1 + others(0, seats))); }

std::string core_share_path() {
    cpu_set_t processors;
    CPU_ZERO(&processors);
    if (::access(folder, W_OK) != 0 || ::sched_getaffinity(0, sizeof processors, &processors) != 0) return {};
    const auto mask = sha256_hex(std::as_bytes(std::span(&processors, 1)));
    return fmt::format("{}/lcm-laur-{}-{}", folder, ::geteuid(), mask.substr(0, 16));
}

}  // namespace lcm
