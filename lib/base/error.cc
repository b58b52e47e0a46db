#include "lib/base/error.h"

#include <cerrno>
#include <system_error>

namespace lcm {

namespace {

std::string sentence(const std::string& where, const std::string& what) { return where.empty() ? what : where + ": " + what; }

}  // namespace

Error::Error(ExitCode code, std::string where, std::string what, std::string fix)
    : std::runtime_error(sentence(where, what)), code_(code), where_(std::move(where)), what_(std::move(what)), fix_(std::move(fix)) {}

void throw_errno(ExitCode code, std::string where, std::string_view what) {
    const std::string reason = std::error_code(errno, std::generic_category()).message();
    throw Error(code, std::move(where), std::string(what) + ": " + reason);
}

}  // namespace lcm
