#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "lib/base/bytes.h"

namespace lcm {

/// Memory that grows as bytes arrive: at most doubling, and at most 16 MiB ahead of what has arrived.
class GrowingBuffer {
public:
    GrowingBuffer() = default;
    GrowingBuffer(const GrowingBuffer&) = delete;
    GrowingBuffer& operator=(const GrowingBuffer&) = delete;
    ~GrowingBuffer();

    /// Reads until `wanted` bytes are here or the source ends.
    /// @param arrived  sees each piece while it is still in the processor's cache
    void fill(ByteSource& source, std::uint64_t wanted, const std::function<void(std::span<const std::byte>)>& arrived);

    std::span<const std::byte> bytes() const { return {memory_, filled_}; }

private:
    void grow(std::uint64_t wanted);

    std::byte* memory_ = nullptr;
    std::size_t filled_ = 0, capacity_ = 0;
};

}  // namespace lcm
