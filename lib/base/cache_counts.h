#pragma once

#include <cstdint>

namespace lcm {

/// How often this process found what it looked for in a cache on disk or in memory, and how often not.
struct CacheCounts {
    std::uint64_t hits = 0, misses = 0;
};

/// Counted by every cache, from any thread.
void count_cache_hit() noexcept;
void count_cache_miss() noexcept;
CacheCounts cache_counts() noexcept;

}  // namespace lcm
