#include "lib/base/cache_counts.h"

#include <atomic>

namespace lcm {

namespace {

std::atomic<std::uint64_t> hits{0}, misses{0};

}  // namespace

void count_cache_hit() noexcept { hits.fetch_add(1, std::memory_order_relaxed); }
void count_cache_miss() noexcept { misses.fetch_add(1, std::memory_order_relaxed); }
CacheCounts cache_counts() noexcept { return {hits.load(), misses.load()}; }

}  // namespace lcm
