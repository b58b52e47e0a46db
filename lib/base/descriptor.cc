#include "lib/base/descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/stop.h"

namespace lcm {

namespace {

constexpr std::size_t most_parts = 1024;  // IOV_MAX of Linux

// Descriptors of a terminal or an SSH session may be set non-blocking by another process.
void wait_until_ready(int fd, short events) {
    pollfd wanted{fd, events, 0};
    ::poll(&wanted, 1, -1);
}

std::vector<iovec> as_iovecs(std::span<const std::span<const std::byte>> parts) {
    std::vector<iovec> vectors;
    vectors.reserve(parts.size());
    for (const auto part : parts) vectors.push_back({const_cast<std::byte*>(part.data()), part.size()});
    return vectors;
}

void skip_written(std::span<iovec> vectors, std::size_t count) {
    for (iovec& vector : vectors) {
        const std::size_t taken = std::min(count, vector.iov_len);
        vector.iov_base = static_cast<std::byte*>(vector.iov_base) + taken;
        vector.iov_len -= taken;
        count -= taken;
    }
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

int open_descriptor(const std::string& path, int flags, unsigned mode) {
    while (true) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EINTR) return fd;
        check_stop();  // opening a FIFO waits for the other side
    }
}

std::size_t read_descriptor(int fd, std::span<std::byte> out, const std::string& name) {
    while (true) {
        const ssize_t count = ::read(fd, out.data(), out.size());
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EINTR)
            check_stop();
        else if (errno == EAGAIN)
            wait_until_ready(fd, POLLIN);
        else if (errno == EISDIR)
            throw_errno(ExitCode::no_input, name, "cannot read");
        else
            throw_errno(ExitCode::io, name, "cannot read");
    }
}

void write_descriptor(int fd, std::span<const std::span<const std::byte>> parts, const std::string& name) {
    std::vector<iovec> left = as_iovecs(parts);
    std::size_t first = 0;
    while (true) {
        while (first < left.size() && left[first].iov_len == 0) ++first;
        if (first == left.size()) return;
        const ssize_t count = ::writev(fd, left.data() + first, static_cast<int>(std::min(left.size() - first, most_parts)));
        if (count >= 0)
            skip_written(std::span(left).subspan(first), static_cast<std::size_t>(count));
        else if (errno == EPIPE)
            throw BrokenPipe{};
        else if (errno == EAGAIN)
            wait_until_ready(fd, POLLOUT);
        else if (errno == EINTR && stop_signal() == SIGINT)
            check_stop();
        else if (errno != EINTR)
            throw_errno(ExitCode::io, name, "cannot write");
    }
}

void write_descriptor_at(int fd, std::span<const std::byte> data, std::uint64_t offset, const std::string& name) {
    while (!data.empty()) {
        const ssize_t count = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
        if (count < 0 && errno != EINTR) throw_errno(ExitCode::io, name, "cannot write");
        const auto written = static_cast<std::size_t>(std::max<ssize_t>(0, count));
        data = data.subspan(written);
        offset += written;
    }
}

MappedPart map_descriptor(int fd, std::uint64_t offset, std::size_t size, ExitCode code, const std::string& name) {
    const std::uint64_t before = offset % static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t whole = before + size;
    void* const address = ::mmap(nullptr, whole, PROT_READ, MAP_PRIVATE, fd, static_cast<off_t>(offset - before));
    if (address == MAP_FAILED) throw_errno(code, name, "cannot map into memory");
    ::madvise(address, whole, MADV_HUGEPAGE);  // what comes from the disk comes in large pages, where there are any
    return {{address, [whole](void* mapped) { ::munmap(mapped, whole); }}, {static_cast<const std::byte*>(address) + before, size}};
}

Descriptor off_standard_number(Descriptor descriptor) noexcept {
    const int number = descriptor.get();
    if (number < 0 || number > STDERR_FILENO) return descriptor;
    const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    Descriptor moved(::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (nothing.get() < 0 || moved.get() < 0 || ::dup2(nothing.get(), number) < 0) return descriptor;
    descriptor.release();
    return moved;
}

void close_checked(Descriptor descriptor, const std::string& name) {
    // On Linux the descriptor is gone even when close reports EINTR.
    if (::close(descriptor.release()) != 0 && errno != EINTR) throw_errno(ExitCode::io, name, "cannot close");
}

}  // namespace lcm
