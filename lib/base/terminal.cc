#include "lib/base/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>

namespace lcm {

namespace {

ColorChoice color_choice = ColorChoice::automatic;

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// Another process may have set the terminal non-blocking. One that takes nothing for a second gets no more.
bool may_try_again(int fd) noexcept {
    if (errno == EINTR) return true;
    pollfd wanted{fd, POLLOUT, 0};
    return errno == EAGAIN && ::poll(&wanted, 1, 1000) == 1;
}

iovec part(std::string_view text) noexcept { return {const_cast<char*>(text.data()), text.size()}; }

}  // namespace

void set_color(ColorChoice choice) { color_choice = choice; }

bool use_color(int fd) {
    if (color_choice != ColorChoice::automatic) return color_choice == ColorChoice::always;
    if (!environment("NO_COLOR").empty()) return false;
    return !environment("FORCE_COLOR").empty() || can_animate(fd);
}

bool can_animate(int fd) { return ::isatty(fd) == 1 && environment("TERM") != "dumb"; }

int terminal_width(int fd) noexcept {
    winsize size{};
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void write_line(int fd, std::string_view line) noexcept {
    iovec parts[] = {part(can_animate(fd) ? erase_line : ""), part(line), part("\n")};
    ssize_t written = 0;
    do written = ::writev(fd, parts, std::size(parts));
    while (written < 0 && may_try_again(fd));
    for (const iovec& each : parts) {  // what did not fit at once
        if (written < 0) return;
        const std::string_view text(static_cast<const char*>(each.iov_base), each.iov_len);
        const auto skipped = std::min(static_cast<std::size_t>(written), text.size());
        written -= static_cast<ssize_t>(skipped);
        write_raw(fd, text.substr(skipped));
    }
}

void write_raw(int fd, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && !may_try_again(fd)) return;
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
}

}  // namespace lcm
