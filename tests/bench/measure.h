#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

namespace lcm::bench {

/// Median seconds of one call of `action`: ten calls after one that is not counted.
inline double median_seconds(const std::function<void()>& action) {
    using Clock = std::chrono::steady_clock;
    std::array<double, 10> seconds{};
    action();
    for (double& one : seconds) {
        const auto start = Clock::now();
        action();
        one = std::chrono::duration<double>(Clock::now() - start).count();
    }
    std::ranges::sort(seconds);
    return (seconds[4] + seconds[5]) / 2;
}

}  // namespace lcm::bench
