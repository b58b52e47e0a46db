#pragma once

#include <string_view>

#include "lib/base/descriptor.h"

namespace lcm::cli {

/// The line at the bottom of a terminal, which one process at a time may use for a bar.
///
/// Its processes agree by a lock on the terminal's device, through a description that each opens for itself: inherited ones are shared.
/// On anything but a terminal a line is written without a lock.
class TerminalLine {
public:
    /// @param fd  where to draw; stays open as long as this
    explicit TerminalLine(int fd);
    TerminalLine(const TerminalLine&) = delete;
    TerminalLine& operator=(const TerminalLine&) = delete;
    /// Erases what it shows.
    ~TerminalLine() { clear(); }

    /// Shows `text` in place of what it showed before, cut to the terminal's width; nothing while another process has the line.
    void show(std::string_view text);
    /// Erases the text and leaves the line to others.
    void clear() noexcept;

private:
    bool take();

    int fd_;
    Descriptor terminal_;
    bool shown_ = false;
};

/// Erases the line that this process shows, if it does; for a death by signal. Async-signal-safe.
void erase_shown_line() noexcept;

}  // namespace lcm::cli
