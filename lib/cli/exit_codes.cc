#include "lib/cli/exit_codes.h"

#include <signal.h>

#include <array>

#include "lib/base/error.h"

namespace lcm::cli {
namespace {

constexpr int died_by = 128;  // a shell adds the number of the signal

constexpr ExitStatus row(ExitCode code, std::string_view name, std::string_view meaning) { return {static_cast<int>(code), name, meaning}; }

constexpr std::array table{
    row(ExitCode::ok, "ok", "All that was asked for is written, flushed and closed."),
    row(ExitCode::no, "no", "A check ran to its end and its answer is no. Never an error."),
    row(ExitCode::usage, "usage", "A flag is wrong or contradicts another, or binary data would go to a terminal."),
    row(ExitCode::data, "data", "The input is malformed, truncated or does not fit the model."),
    row(ExitCode::no_input, "no input", "A file cannot be opened or is of the wrong kind."),
    row(ExitCode::unavailable, "unavailable", "A device, a service or an optional part of the tools is not there."),
    row(ExitCode::software, "software", "A fault of the tool itself; please report it."),
    row(ExitCode::system, "system", "Memory ran out, or the system refused what must work."),
    row(ExitCode::cannot_create, "cannot create", "The output cannot be made."),
    row(ExitCode::io, "I/O", "Reading or writing failed: a full disk, a failed close."),
    row(ExitCode::try_again, "try again", "Stopped from outside after what was whole had been saved; run it again."),
    row(ExitCode::refused, "refused", "A pickle, or more than the policy of this machine allows."),
    row(ExitCode::config, "config", "A configuration file is wrong."),
};

constexpr std::array signals{
    ExitStatus{died_by + SIGINT, "SIGINT", "Interrupted at the keyboard. It cleans up within a second; a second one ends it at once."},
    ExitStatus{died_by + SIGPIPE, "SIGPIPE", "The reader of its output has gone. It ends in silence."},
    ExitStatus{died_by + SIGTERM, "SIGTERM", "Asked to end with nothing saved, or asked twice. Where records had left whole: 75."},
};

}  // namespace

std::span<const ExitStatus> exit_codes() { return table; }

std::span<const ExitStatus> signal_statuses() { return signals; }

}  // namespace lcm::cli
