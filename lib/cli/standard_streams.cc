#include "lib/cli/standard_streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lib/base/bytes.h"

namespace lcm::cli {
namespace {

bool closed_stdout = false;

}  // namespace

void guard_standard_streams() {
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
        if (fd == 1) closed_stdout = true;
        // The lowest free number is `fd`, because the loop runs upwards. Writes to a closed stdout must fail.
        if (::open("/dev/null", fd == 1 ? O_RDONLY : O_RDWR) != fd) std::_Exit(static_cast<int>(ExitCode::system));
    }
}

bool stdout_was_closed() { return closed_stdout; }

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

bool is_pipe(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

void close_stdout() {
    // Where there was no descriptor left to put in its place, a record sink has closed number 1; there is then nothing left to flush.
    if (::fcntl(1, F_GETFD) == -1) return;
    const bool failed = std::ferror(stdout) != 0 || std::fflush(stdout) != 0;
    const int error = errno;
    if (failed && error == EPIPE) throw BrokenPipe();
    if (failed) throw_errno(ExitCode::io, "standard output", "cannot be written");
    if (::close(1) != 0) throw_errno(ExitCode::io, "standard output", "cannot be closed");
}

}  // namespace lcm::cli
