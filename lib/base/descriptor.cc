#include "lib/base/descriptor.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/stop.h"

namespace lcm {

namespace {

constexpr std::size_t largest_transfer = std::size_t{1} << 30;  // Linux moves at most 2 GiB a call

// Descriptors of a terminal or an SSH session may be set non-blocking by another process.
void wait_until_ready(int fd, short events) {
    pollfd wanted{fd, events, 0};
    ::poll(&wanted, 1, -1);
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

int open_descriptor(const std::string& path, int flags, unsigned mode) {
    while (true) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EINTR) {
            return fd;
        }
        check_stop();  // opening a FIFO waits for the other side
    }
}

std::size_t read_descriptor(int fd, std::span<std::byte> out, const std::string& name) {
    while (true) {
        const ssize_t count = ::read(fd, out.data(), std::min(out.size(), largest_transfer));
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno == EINTR) {
            check_stop();
        } else if (errno == EAGAIN) {
            wait_until_ready(fd, POLLIN);
        } else if (errno == EISDIR) {
            throw_errno(ExitCode::no_input, name, "cannot read");
        } else {
            throw_errno(ExitCode::io, name, "cannot read");
        }
    }
}

void write_descriptor(int fd, std::span<const std::byte> data, const std::string& name) {
    while (!data.empty()) {
        const ssize_t count = ::write(fd, data.data(), std::min(data.size(), largest_transfer));
        if (count >= 0) {
            data = data.subspan(static_cast<std::size_t>(count));
        } else if (errno == EPIPE) {
            throw BrokenPipe{};
        } else if (errno == EAGAIN) {
            wait_until_ready(fd, POLLOUT);
        } else if (errno != EINTR) {
            throw_errno(ExitCode::io, name, "cannot write");
        }
        if (stop_signal() == SIGINT && !data.empty()) {
            check_stop();
        }
    }
}

void close_checked(Descriptor descriptor, const std::string& name) {
    // On Linux the descriptor is gone even when close reports EINTR.
    if (::close(descriptor.release()) != 0 && errno != EINTR) {
        throw_errno(ExitCode::io, name, "cannot close");
    }
}

}  // namespace lcm
