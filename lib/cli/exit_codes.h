#pragma once

#include <span>
#include <string_view>

namespace lcm::cli {

/// One exit status as users see it: in `--help` by number and name, in the manual pages with its meaning.
struct ExitStatus {
    int code;
    std::string_view name, meaning;
};

/// Every exit code of the tools, ascending.
std::span<const ExitStatus> exit_codes();

/// The statuses that a shell shows for a tool that died by a signal, ascending; `name` is the signal's.
std::span<const ExitStatus> signal_statuses();

}  // namespace lcm::cli
