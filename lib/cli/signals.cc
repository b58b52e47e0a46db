#include "lib/cli/signals.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/base/terminal.h"
#include "lib/cli/progress.h"
#include "lib/cli/terminal_line.h"

namespace lcm::cli {
namespace {

/// A text that was made before it is needed. What does not fit is left out.
class ReadyText {
public:
    void set(std::string_view text) { size_ = text.copy(text_, sizeof text_); }
    std::string_view get() const noexcept { return {text_, size_}; }

private:
    char text_[256] = {};
    std::size_t size_ = 0;
};

ReadyText tool_name, interrupted, file_shrank;

ReadyText as_line(std::string_view message) {
    ReadyText line;
    line.set(fmt::format("{}{}\n", can_animate(STDERR_FILENO) ? erase_line : "", log_line(LogLevel::error, message)));
    return line;
}

// Only async-signal-safe calls from here on.
class KeptErrno {
public:
    ~KeptErrno() { errno = value_; }

private:
    int value_ = errno;
};

void on_stop(int signal) {
    const KeptErrno kept;
    if (stop_signal() != 0) die_by_signal(signal);
    request_stop(signal);
    if (signal == SIGINT) write_raw(STDERR_FILENO, interrupted.get());
    const itimerval patience{{0, 800'000}, {0, 800'000}};
    ::setitimer(ITIMER_REAL, &patience, nullptr);
}

// After any other signal the alarm only interrupts: a read that began to block just after the signal would never see the request.
void on_alarm(int) {
    if (stop_signal() == SIGINT) die_by_signal(SIGINT);
}

void on_progress_wanted(int) {
    const KeptErrno kept;
    print_progress(tool_name.get());
}

void on_bus_error(int) {
    write_raw(STDERR_FILENO, file_shrank.get());
    remove_temporary_files();
    ::_exit(static_cast<int>(ExitCode::io));
}

void unblock(int signal) {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, signal);
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

// Without SA_RESTART a blocked read returns and sees the request to stop.
void handle(int signal, void (*handler)(int), int flags = 0) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = flags;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);
}

}  // namespace

void install_signal_handlers(std::string_view tool) {
    tool_name.set(tool);
    prepare_signal_messages();
    handle(SIGINT, on_stop);
    handle(SIGTERM, on_stop);
    handle(SIGHUP, on_stop);
    handle(SIGALRM, on_alarm);
    handle(SIGBUS, on_bus_error);
    handle(SIGUSR1, on_progress_wanted, SA_RESTART);
    unblock(SIGUSR1);  // the launcher blocks it until it can be answered
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN);
}

void prepare_signal_messages() {
    interrupted = as_line("interrupted");
    file_shrank = as_line("a mapped file became shorter while it was read; run again when it is whole");
}

void die_by_signal(int signal) {
    erase_shown_line();
    remove_temporary_files();
    handle(signal, SIG_DFL);
    unblock(signal);
    ::raise(signal);
    ::_exit(128 + signal);
}

}  // namespace lcm::cli
