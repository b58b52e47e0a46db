#include "lib/cli/signals.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"

namespace lcm::cli {
namespace {

char tool_name[64];

// Only async-signal-safe calls from here on.
void say(const char* text) {
    for (const char* part : {static_cast<const char*>(tool_name), text})
        if (::write(2, part, std::strlen(part)) < 0) return;
}

void on_stop(int signal) {
    if (stop_signal() != 0) die_by_signal(signal);
    request_stop(signal);
    if (signal == SIGINT) say(": interrupted\n");
    const itimerval patience{{0, 800'000}, {0, 800'000}};
    ::setitimer(ITIMER_REAL, &patience, nullptr);
}

// After any other signal the alarm only interrupts: a read that began to block just after the signal would never see the request.
void on_alarm(int) {
    if (stop_signal() == SIGINT) die_by_signal(SIGINT);
}

void on_bus_error(int) {
    say(": a mapped file became shorter while it was read; run again when it is whole\n");
    remove_temporary_files();
    ::_exit(static_cast<int>(ExitCode::io));
}

void handle(int signal, void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(signal, &action, nullptr);  // no SA_RESTART: a blocked read returns and sees the request
}

}  // namespace

void install_signal_handlers(std::string_view tool) {
    const auto length = tool.copy(tool_name, sizeof(tool_name) - 1);
    tool_name[length] = '\0';
    handle(SIGINT, on_stop);
    handle(SIGTERM, on_stop);
    handle(SIGHUP, on_stop);
    handle(SIGALRM, on_alarm);
    handle(SIGBUS, on_bus_error);
    handle(SIGPIPE, SIG_IGN);
}

void die_by_signal(int signal) {
    remove_temporary_files();
    handle(signal, SIG_DFL);
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, signal);
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    ::raise(signal);
    ::_exit(128 + signal);
}

}  // namespace lcm::cli
