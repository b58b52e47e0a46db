#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace lcm {

/// Exit status of every tool: the whole list, shown by `--help` (sysexits.h numbers where they exist).
enum class ExitCode : int {
    ok = 0,
    no = 1,  ///< a check ran to its end and the answer is no; never an error
    usage = 64,
    data = 65,
    no_input = 66,
    unavailable = 69,
    software = 70,
    system = 71,
    cannot_create = 73,
    io = 74,
    try_again = 75,
    refused = 77,
    config = 78,
};

/// The one error type: one sentence of what went wrong, where, and optionally what to do about it.
///
/// Thrown by every layer, caught in one place (`cli::run_main`), which prints `tool: where: what` and the fix as a hint.
class Error : public std::runtime_error {
public:
    /// @param where  file, record, tensor or flag; may be empty
    /// @param what   the fault, without a full stop
    /// @param fix    what the user can do; may be empty
    Error(ExitCode code, std::string where, std::string what, std::string fix = {});

    ExitCode code() const { return code_; }
    const std::string& where() const { return where_; }
    const std::string& fault() const { return what_; }
    const std::string& fix() const { return fix_; }

private:
    ExitCode code_;
    std::string where_, what_, fix_;
};

/// Throws `Error` with the text of `errno` appended to `what`.
[[noreturn]] void throw_errno(ExitCode code, std::string where, std::string_view what);

}  // namespace lcm
