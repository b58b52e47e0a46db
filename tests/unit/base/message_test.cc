#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/base/version.h"
#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

// What `print` writes to descriptor 2.
std::string standard_error_of(const std::function<void()>& print) {
    const TemporaryFolder folder;
    const int saved = ::dup(STDERR_FILENO);
    const int file = ::open(folder.path("log").c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(file, STDERR_FILENO);
    print();
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    ::close(file);
    return read_file(folder.path("log"));
}

std::string all_levels_at(LogLevel level) {
    set_log("lcm-test", level);
    const std::string lines = standard_error_of([] {
        log_error("e");
        warn("w");
        info("i");
        debug("d");
    });
    set_log("", LogLevel::warning);
    return lines;
}

}  // namespace

TEST_CASE("an error is one sentence with its parts") {
    const Error error(ExitCode::data, "record 3 header", "duplicate name \"latent\"", "re-create the file");
    CHECK(std::string(error.what()) == "record 3 header: duplicate name \"latent\"");
    CHECK(error.code() == ExitCode::data);
    CHECK(error.where() == "record 3 header");
    CHECK(error.fault() == "duplicate name \"latent\"");
    CHECK(error.fix() == "re-create the file");
    CHECK(std::string(Error(ExitCode::usage, "", "no input").what()) == "no input");
    CHECK(error_of([] {
              errno = ENOSPC;
              throw_errno(ExitCode::io, "out.png", "cannot write");
          }) == "74: out.png: cannot write: No space left on device");
}

TEST_CASE("the level rules what is said, labels come with -v") {
    CHECK(all_levels_at(LogLevel::error) == "lcm-test: e\n");
    CHECK(all_levels_at(LogLevel::warning) == "lcm-test: e\nlcm-test: w\n");
    CHECK(all_levels_at(LogLevel::info) == "lcm-test: error: e\nlcm-test: warning: w\nlcm-test: info: i\n");
    CHECK(all_levels_at(LogLevel::debug) == "lcm-test: error: e\nlcm-test: warning: w\nlcm-test: info: i\nlcm-test: debug: d\n");
}

TEST_CASE("a message is one line without control characters") {
    CHECK(standard_error_of([] { log_error("a\nb\x1B[31m"); }) == "a\\x0Ab\\x1B[31m\n");
}

TEST_CASE("a request to stop is seen by the next check") {
    check_stop();
    request_stop(SIGTERM);
    CHECK(stop_signal() == SIGTERM);
    CHECK_THROWS_AS(check_stop(), Stopped);
    request_stop(0);
    check_stop();
}

TEST_CASE("the version is the build's") { CHECK(std::string(version()).find('.') != std::string::npos); }
