#include "lib/metrics/memory_watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>

#include "lib/base/descriptor.h"

namespace lcm {

namespace {

constexpr std::chrono::milliseconds interval{10};

/// Signals go to other threads while this lives: the one that waits for input must be the one that is woken.
class BlockedSignals {
public:
    BlockedSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

std::uint64_t anonymous_bytes() noexcept {
    const Descriptor file(open_descriptor("/proc/self/status", O_RDONLY));
    char text[4096];
    const auto size = file.get() < 0 ? -1 : ::read(file.get(), text, sizeof text);
    if (size <= 0) return 0;
    constexpr std::string_view label = "RssAnon:";
    const std::string_view status(text, static_cast<std::size_t>(size));
    const auto at = status.find(label);
    if (at == status.npos) return 0;
    const auto digits = std::min(status.find_first_not_of(" \t", at + label.size()), status.size());
    std::uint64_t kib = 0;
    std::from_chars(status.data() + digits, status.data() + status.size(), kib);
    return kib * 1024;
}

MemoryWatch::MemoryWatch() {
    const BlockedSignals blocked;
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {
    }
}

MemoryWatch::~MemoryWatch() {
    {
        const std::scoped_lock lock(guard_);
        ending_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

std::uint64_t MemoryWatch::peak() {
    look();
    return peak_;
}

void MemoryWatch::look() noexcept {
    const std::uint64_t now = anonymous_bytes();
    std::uint64_t before = peak_;
    while (now > before && !peak_.compare_exchange_weak(before, now)) {
    }
}

void MemoryWatch::run() {
    std::unique_lock lock(guard_);
    do look();
    while (!wake_.wait_for(lock, interval, [this] { return ending_; }));
}

}  // namespace lcm
