#pragma once

#include <string_view>

namespace lcm::cli {

/// Installs the handlers of cli-contract, section 3.
///
/// SIGINT asks the work to stop and, when it has not within 0.8 s or on a second SIGINT, removes temporary files and dies by the signal.
/// SIGTERM and SIGHUP ask once and kill at the second time. SIGPIPE is ignored (writes report it). SIGBUS, a mapped file that
/// shrank, ends with exit code 74.
void install_signal_handlers(std::string_view tool);

/// Removes temporary files, restores the signal's default action and raises it.
[[noreturn]] void die_by_signal(int signal);

}  // namespace lcm::cli
