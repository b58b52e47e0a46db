#pragma once

#include <cstdint>
#include <memory>

#include "lib/base/bytes.h"

namespace lcm {

/// What this process has read from counted sources, and written to counted sinks.
struct ByteCounts {
    std::uint64_t in = 0, out = 0;
};

/// The counts so far, from any thread.
ByteCounts byte_counts() noexcept;

/// The same source; what is read from it, or skipped in it, counts.
std::unique_ptr<ByteSource> counted(std::unique_ptr<ByteSource> source);

/// The same sink; what is written to it counts.
std::unique_ptr<ByteSink> counted(std::unique_ptr<ByteSink> sink);

}  // namespace lcm
