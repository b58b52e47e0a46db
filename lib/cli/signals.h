#pragma once

#include <string_view>

namespace lcm::cli {

/// Installs the handlers of cli-contract, section 3.
///
/// SIGINT asks the work to stop and, when it has not within 0.8 s or on a second SIGINT, removes temporary files and dies by the signal.
/// SIGTERM and SIGHUP ask once and kill at the second time. SIGUSR1 prints a line of progress and disturbs nothing, also one
/// that came while the tool was starting. SIGPIPE and SIGXFSZ are ignored (writes report them). SIGBUS, a mapped file that shrank, ends
/// with exit code 74.
void install_signal_handlers(std::string_view tool);

/// Words what the handlers say as the log would say it now; to be called when its settings change.
void prepare_signal_messages();

/// Removes temporary files and the bar, restores the signal's default action and raises it.
[[noreturn]] void die_by_signal(int signal);

}  // namespace lcm::cli
