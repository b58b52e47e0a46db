#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "lib/base/error.h"

namespace lcm {

/// An open file descriptor, closed with its owner. Closing here checks nothing: what was written is closed by `close_checked`.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();

    int get() const { return fd_; }
    /// Gives the descriptor away.
    int release() { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

/// open(2) with O_CLOEXEC; a signal that interrupts is retried. Returns -1 with errno set.
int open_descriptor(const std::string& path, int flags, unsigned mode = 0);

/// read(2) once; 0 at the end. A signal is retried, or `Stopped` thrown when it asked to stop.
/// @throws Error(io); Error(no_input) for a directory
std::size_t read_descriptor(int fd, std::span<std::byte> out, const std::string& name);

/// writev(2) until every part is written. SIGINT ends it with `Stopped`; after SIGTERM the data is still written.
/// @throws Error(io); BrokenPipe when the reader has gone
void write_descriptor(int fd, std::span<const std::span<const std::byte>> parts, const std::string& name);

/// The same open file at a number above the standard streams'. At theirs, if it had one, stays /dev/null, which cannot be written: a number
/// that is free goes to the next file that any thread opens. As it was where there are no more descriptors.
Descriptor off_standard_number(Descriptor descriptor) noexcept;

/// A part of a file in memory, to be read.
struct MappedPart {
    std::shared_ptr<const void> owner;  ///< unmaps it
    std::span<const std::byte> bytes;
};

/// mmap(2) of `size` bytes, not 0, from any offset. @throws Error of that code
MappedPart map_descriptor(int fd, std::uint64_t offset, std::size_t size, ExitCode code, const std::string& name);

/// pwrite(2) until all is written; signals are retried. @throws Error(io)
void write_descriptor_at(int fd, std::span<const std::byte> data, std::uint64_t offset, const std::string& name);

/// close(2) whose failure counts, since it can be the first news of lost data. @throws Error(io)
void close_checked(Descriptor descriptor, const std::string& name);

}  // namespace lcm
