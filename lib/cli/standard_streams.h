#pragma once

#include "lib/base/error.h"

namespace lcm::cli {

/// Opens /dev/null on descriptors 0, 1 and 2 that are closed, so that no later file gets their number; called first in main.
void guard_standard_streams();

/// True when descriptor 1 was closed at start: the first write must fail.
bool stdout_was_closed();

/// True for a terminal.
bool is_terminal(int fd);
/// True for a pipe or a socket.
bool is_pipe(int fd);

/// Flushes and closes stdout. @throws Error(io) when that fails: a full disk must not pass; BrokenPipe
void close_stdout();

/// Input was expected and stdin is a terminal: `run_main` answers with the short help and exit code 64.
struct TerminalInput : Error {
    TerminalInput() : Error(ExitCode::usage, "standard input", "is a terminal", "give a FILE or pipe records in") {}
};

}  // namespace lcm::cli
