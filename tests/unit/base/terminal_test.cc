#include "lib/base/terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

/// A pseudo-terminal that shows bytes as they are written.
class Terminal {
public:
    Terminal() {
        termios raw{};
        ::cfmakeraw(&raw);
        winsize size{24, 80, 0, 0};
        REQUIRE(::openpty(&screen_, &fd_, nullptr, &raw, &size) == 0);
    }
    ~Terminal() {
        ::close(fd_);
        ::close(screen_);
    }
    int fd() const { return fd_; }
    std::string shown() const {
        char text[1000];
        const auto size = ::read(screen_, text, sizeof text);
        return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
    }

private:
    int screen_ = -1, fd_ = -1;
};

struct Variable {
    Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    ~Variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

struct Choice {
    explicit Choice(ColorChoice choice) { set_color(choice); }
    ~Choice() { set_color(ColorChoice::automatic); }
};

}  // namespace

TEST_CASE("colour is for terminals, unless somebody says otherwise") {
    const Variable xterm("TERM", "xterm"), no_color("NO_COLOR", ""), force("FORCE_COLOR", "");
    const Terminal terminal;
    const Pipe pipe = make_pipe();
    const auto seen = [&] { return std::pair(use_color(terminal.fd()), use_color(pipe.write_end)); };
    CHECK(seen() == std::pair(true, false));
    {
        const Variable set("NO_COLOR", "1");
        CHECK(seen() == std::pair(false, false));
        const Variable both("FORCE_COLOR", "1");
        CHECK(seen() == std::pair(false, false));
        const Choice always(ColorChoice::always);
        CHECK(seen() == std::pair(true, true));
    }
    {
        const Variable set("FORCE_COLOR", "1");
        CHECK(seen() == std::pair(true, true));
        const Choice never(ColorChoice::never);
        CHECK(seen() == std::pair(false, false));
    }
    const Variable dumb("TERM", "dumb");
    CHECK(seen() == std::pair(false, false));
    CHECK_FALSE(can_animate(terminal.fd()));
    ::close(pipe.read_end);
    ::close(pipe.write_end);
}

TEST_CASE("a line on a terminal takes the place of a bar, elsewhere it is bare") {
    const Variable xterm("TERM", "xterm");
    const Terminal terminal;
    write_line(terminal.fd(), "words");
    CHECK(terminal.shown() == "\r\x1b[Kwords\n");
    const TemporaryFolder folder;
    const int file = ::open(folder.path("f").c_str(), O_WRONLY | O_CREAT, 0600);
    write_line(file, "words");
    write_raw(file, "more");
    ::close(file);
    CHECK(read_file(folder.path("f")) == "words\nmore");
}

TEST_CASE("a long line arrives whole through a pipe that is full and non-blocking") {
    const Pipe pipe = make_pipe();
    ::fcntl(pipe.write_end, F_SETFL, O_NONBLOCK);
    const std::string line(300'000, 'x');
    const pid_t child = ::fork();
    if (child == 0) {
        write_line(pipe.write_end, line);
        ::_exit(0);
    }
    ::close(pipe.write_end);
    std::string got;
    char piece[4096];
    for (ssize_t size = 0; (size = ::read(pipe.read_end, piece, sizeof piece)) > 0;) got.append(piece, static_cast<std::size_t>(size));
    CHECK(got == line + "\n");
    ::waitpid(child, nullptr, 0);
    ::close(pipe.read_end);
}

TEST_CASE("the width of a terminal is known, that of a pipe not") {
    const Terminal terminal;
    CHECK(terminal_width(terminal.fd()) == 80);
    const Pipe pipe = make_pipe();
    CHECK(terminal_width(pipe.read_end) == 0);
    ::close(pipe.read_end);
    ::close(pipe.write_end);
}
