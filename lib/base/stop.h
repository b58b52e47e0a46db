#pragma once

namespace lcm {

/// Set by the signal handlers of `cli`, read by every loop between steps.
///
/// SIGINT asks to stop at once, SIGTERM and SIGHUP to finish the step and save.
void request_stop(int signal) noexcept;

/// The signal that asked to stop, or 0.
int stop_signal() noexcept;

/// Thrown by `check_stop`; `run_main` cleans up and dies by the signal or exits 75.
struct Stopped {
    int signal;
};

/// Throws `Stopped` when a stop was requested.
void check_stop();

}  // namespace lcm
