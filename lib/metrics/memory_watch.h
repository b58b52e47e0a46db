#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace lcm {

/// Anonymous memory of this process in bytes: what it has written, without mapped files (`RssAnon` of proc(5)). 0 where the system does not
/// tell.
std::uint64_t anonymous_bytes() noexcept;

/// Looks at `anonymous_bytes()` a hundred times a second from its making on: the system itself keeps no peak of it.
class MemoryWatch {
public:
    /// Where no thread can be made, only the calls of `peak` look.
    MemoryWatch();
    ~MemoryWatch();
    MemoryWatch(const MemoryWatch&) = delete;
    MemoryWatch& operator=(const MemoryWatch&) = delete;

    /// The most so far, in bytes.
    std::uint64_t peak();

private:
    void look() noexcept;
    void run();

    std::atomic<std::uint64_t> peak_{0};
    std::mutex guard_;
    std::condition_variable wake_;
    bool ending_ = false;
    std::thread thread_;
};

}  // namespace lcm
