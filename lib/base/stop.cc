#include "lib/base/stop.h"

#include <atomic>

namespace lcm {

namespace {

std::atomic<int> requested{0};
static_assert(std::atomic<int>::is_always_lock_free, "set in a signal handler");

}  // namespace

void request_stop(int signal) noexcept { requested.store(signal); }

int stop_signal() noexcept { return requested.load(); }

void check_stop() {
    if (const int signal = stop_signal()) throw Stopped{signal};
}

}  // namespace lcm
