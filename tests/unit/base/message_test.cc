#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <regex>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/base/terminal.h"
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

Error bad_record() { return Error(ExitCode::data, "record 3", "has \"x\"", "make\nit again"); }

// One message of each level, under `settings`.
std::string all_levels(const LogSettings& settings) {
    const std::string lines = standard_error_of([&] {
        set_log(settings);
        log_error(bad_record());
        warn("w");
        info("i");
        debug("d");
        set_log({});
    });
    return lines;
}

std::string all_levels_at(LogLevel level) { return all_levels({.tool = "t", .level = level}); }

struct Colored {
    Colored() { set_color(ColorChoice::always); }
    ~Colored() { set_color(ColorChoice::automatic); }
};

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
    const std::string error = "t: record 3: has \"x\"\nt: hint: make\\x0Ait again\n";
    CHECK(all_levels_at(LogLevel::error) == error);
    CHECK(all_levels_at(LogLevel::warning) == error + "t: w\n");
    const std::string labelled = "t: error: record 3: has \"x\"\nt: hint: make\\x0Ait again\nt: warning: w\nt: info: i\n";
    CHECK(all_levels_at(LogLevel::info) == labelled);
    CHECK(all_levels_at(LogLevel::debug) == labelled + "t: debug: d\n");
}

TEST_CASE("as JSON each message is one object, the hint a part of its error") {
    CHECK(all_levels({.tool = "t", .level = LogLevel::debug, .format = LogFormat::json}) ==
          "{\"level\":\"error\",\"tool\":\"t\",\"message\":\"record 3: has \\\"x\\\"\",\"code\":65,\"where\":\"record 3\","
          "\"what\":\"has \\\"x\\\"\",\"fix\":\"make\\\\x0Ait again\"}\n"
          "{\"level\":\"warning\",\"tool\":\"t\",\"message\":\"w\"}\n"
          "{\"level\":\"info\",\"tool\":\"t\",\"message\":\"i\"}\n"
          "{\"level\":\"debug\",\"tool\":\"t\",\"message\":\"d\"}\n");
}

TEST_CASE("an error alone can be JSON") {
    const std::string error = "{\"error\":{\"code\":65,\"where\":\"record 3\",\"what\":\"has \\\"x\\\"\",\"fix\":\"make\\\\x0Ait again\"}}";
    CHECK(error_json(bad_record()) == error);
    CHECK(all_levels({.tool = "t", .json_errors = true}) == error + "\nt: w\n");
    CHECK(all_levels({.tool = "t", .level = LogLevel::error, .format = LogFormat::json, .json_errors = true}) == error + "\n");
}

TEST_CASE("a log file takes every message with its time and leaves errors to stderr too") {
    const TemporaryFolder folder;
    const std::string path = folder.path("t.log");
    CHECK(all_levels({.tool = "t", .file = path}) == "t: record 3: has \"x\"\nt: hint: make\\x0Ait again\n");
    all_levels({.tool = "t", .format = LogFormat::json, .file = path});  // appended
    const std::regex expected(
        "(T t: record 3: has \"x\"\n)(T t: hint: make.*\n)(T t: w\n)"
        "(\\{\"time\":\"T\",\"level\":\"error\",.*\\}\n)(\\{\"time\":\"T\",\"level\":\"warning\",\"tool\":\"t\",\"message\":\"w\"\\}\n)");
    const std::regex time("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ");
    const std::string text = std::regex_replace(read_file(path), time, "T");
    CAPTURE(text);
    CHECK(std::regex_match(text, expected));
}

TEST_CASE("a log file that cannot be opened changes nothing") {
    set_log({.tool = "before"});
    CHECK(error_of([] { set_log({.tool = "after", .file = "/missing/log"}); }) ==
          "73: /missing/log: cannot open the log: No such file or directory");
    CHECK(log_settings().tool == "before");
    set_log({});
}

TEST_CASE("colour marks the front of errors, warnings and hints") {
    const Colored colored;
    CHECK(all_levels_at(LogLevel::warning) ==
          "\x1B[31mt:\x1B[0m record 3: has \"x\"\n\x1B[2mt: hint:\x1B[0m make\\x0Ait again\n\x1B[33mt:\x1B[0m w\n");
    CHECK(all_levels_at(LogLevel::info).find("\x1B[33mt: warning:\x1B[0m w\nt: info: i\n") != std::string::npos);
    const TemporaryFolder folder;
    all_levels({.tool = "t", .file = folder.path("log")});
    CHECK(read_file(folder.path("log")).find('\x1B') == std::string::npos);
}

TEST_CASE("a message is one line without control characters") {
    CHECK(standard_error_of([] { warn("a\nb\x1B[31m"); }) == "a\\x0Ab\\x1B[31m\n");
    CHECK(log_line(LogLevel::error, "a\rb") == "a\\x0Db");
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
