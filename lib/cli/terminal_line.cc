#include "lib/cli/terminal_line.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <string>

#include "lib/base/terminal.h"

namespace lcm::cli {
namespace {

constexpr int nowhere = -1;
std::atomic<int> shown_on{nowhere};  // the descriptor with this process's line, for `erase_shown_line`

}  // namespace

TerminalLine::TerminalLine(int fd) : fd_(fd) {
    if (::isatty(fd) == 1)
        // Without O_NOCTTY a terminal opened by a session leader would become its own.
        terminal_ = Descriptor(open_descriptor(fmt::format("/proc/self/fd/{}", fd), O_RDONLY | O_NOCTTY | O_NONBLOCK));
}

// A terminal that cannot be opened (one of another user) is drawn on all the same.
bool TerminalLine::take() { return shown_ || terminal_.get() < 0 || ::flock(terminal_.get(), LOCK_EX | LOCK_NB) == 0; }

void TerminalLine::show(std::string_view text) {
    if (!take()) return;
    shown_ = true;
    shown_on = fd_;
    const auto width = static_cast<std::size_t>(terminal_width(fd_));
    if (width > 0) text = text.substr(0, width - 1);  // a full line would move the cursor to the next
    write_raw(fd_, fmt::format("{}{}", erase_line, text));
}

void TerminalLine::clear() noexcept {
    if (!shown_) return;
    erase_shown_line();
    shown_ = false;
    if (terminal_.get() >= 0) ::flock(terminal_.get(), LOCK_UN);
}

void erase_shown_line() noexcept {
    const int fd = shown_on.exchange(nowhere);
    if (fd != nowhere) write_raw(fd, erase_line);
}

}  // namespace lcm::cli
