#include "lib/stream/growing_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace lcm {

namespace {

constexpr std::uint64_t smallest_step = 64 << 10, largest_step = 16 << 20;
constexpr std::size_t cached_piece = 256 << 10;

}  // namespace

GrowingBuffer::~GrowingBuffer() { std::free(memory_); }

// realloc moves large blocks by remapping pages, so that a large record is not copied again at each step.
void GrowingBuffer::grow(std::uint64_t wanted) {
    const std::uint64_t step = std::clamp<std::uint64_t>(filled_, smallest_step, largest_step);
    const auto capacity = static_cast<std::size_t>(std::min(wanted, filled_ + step));
    void* const memory = std::realloc(memory_, capacity);
    if (memory == nullptr) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(memory);
    capacity_ = capacity;
}

void GrowingBuffer::fill(ByteSource& source, std::uint64_t wanted, const std::function<void(std::span<const std::byte>)>& arrived) {
    while (filled_ < wanted) {
        if (filled_ == capacity_) grow(wanted);
        const std::span<std::byte> free_part(memory_ + filled_, std::min(capacity_ - filled_, cached_piece));
        const std::size_t count = source.read_some(free_part);
        if (count == 0) return;
        filled_ += count;
        arrived(free_part.first(count));
    }
}

}  // namespace lcm
