#include "lib/cli/time_limit.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"

namespace lcm::cli {
namespace {

// Only async-signal-safe calls.
void on_time(int) {
    if (stop_signal() == 0) return request_stop(time_is_over);
    constexpr std::string_view text = ": the time of --limit is over\n";
    for (const auto part : {std::string_view(program_invocation_short_name), text}) [[maybe_unused]]
        const auto written = ::write(2, part.data(), part.size());
    remove_temporary_files();
    ::_exit(static_cast<int>(ExitCode::refused));
}

}  // namespace

void end_after(std::uint64_t seconds) {
    struct sigaction action{};
    action.sa_handler = on_time;
    ::sigemptyset(&action.sa_mask);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = time_is_over;
    timer_t timer{};
    itimerspec times{};
    times.it_value.tv_sec = static_cast<time_t>(seconds);
    times.it_interval.tv_sec = 1;
    if (::sigaction(time_is_over, &action, nullptr) != 0 || ::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        ::timer_settime(timer, 0, &times, nullptr) != 0)
        throw_errno(ExitCode::system, "--limit time", "cannot be set");
}

}  // namespace lcm::cli
