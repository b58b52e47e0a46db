#pragma once

#include <csignal>
#include <cstdint>

namespace lcm::cli {

/// The signal by which the work is asked to stop when its time is over; `Stopped` carries it.
inline constexpr int time_is_over = SIGVTALRM;

/// Asks the work to stop after so many seconds, and ends the process with code 77 when it has not stopped a second later.
/// @throws Error(system)
void end_after(std::uint64_t seconds);

}  // namespace lcm::cli
