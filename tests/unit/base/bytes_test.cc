#include "lib/base/bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <thread>

#include "lib/base/stop.h"
#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Sends SIGALRM each millisecond, without SA_RESTART, so that system calls return EINTR.
class Interruptions {
public:
    Interruptions() {
        struct sigaction quiet{};
        quiet.sa_handler = [](int) {};
        ::sigaction(SIGALRM, &quiet, &before_);
        const itimerval often{{0, 1000}, {0, 1000}};
        ::setitimer(ITIMER_REAL, &often, nullptr);
    }
    ~Interruptions() {
        const itimerval never{};
        ::setitimer(ITIMER_REAL, &never, nullptr);
        ::sigaction(SIGALRM, &before_, nullptr);
    }

private:
    struct sigaction before_{};
};

// Writes in another thread that takes no signals: the interruptions are for the reader.
std::thread slow_writer(int fd) {
    return std::thread([fd] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
        for (int i = 0; i < 5; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            CHECK(::write(fd, "abcd", 4) == 4);
        }
        ::close(fd);
    });
}

}  // namespace

TEST_CASE("memory is a source and a sink") {
    Bytes out;
    const auto sink = sink_to_memory(out, "memory");
    sink->write(as_bytes("hello "));
    const std::array parts{as_bytes("big "), as_bytes(""), as_bytes("world")};
    sink->write_parts(parts);
    sink->finish();
    CHECK(text_of(out) == "hello big world");
    CHECK(sink->immediate());

    const auto source = source_from_memory(out, "memory");
    std::array<std::byte, 6> buffer;
    CHECK(source->read_full(buffer) == 6);
    CHECK(text_of(read_all(*source, 9)) == "big world");
    CHECK(source->read_full(buffer) == 0);
}

TEST_CASE("reading all is limited") {
    const std::string text(200'000, 'x');
    const auto read = [&](std::uint64_t limit) { return error_of([&] { read_all(*source_from_memory(as_bytes(text), "big"), limit); }); };
    CHECK(read(200'000) == "nothing");
    CHECK(read(199'999) == "65: big: holds more than 199999 bytes");
    CHECK(error_of([] { read_all(*source_from_file("/dev/zero"), 1 << 20); }) == "65: /dev/zero: holds more than 1048576 bytes");
}

TEST_CASE("a signal does not cut a read short") {
    const Pipe pipe = make_pipe();
    const Interruptions interruptions;
    std::thread writer = slow_writer(pipe.write_end);
    CHECK(text_of(read_all(*source_from_fd(pipe.read_end, "pipe", true), 1000)) == "abcdabcdabcdabcdabcd");
    writer.join();
}

TEST_CASE("a request to stop ends a read that waits") {
    const Pipe pipe = make_pipe();
    request_stop(SIGTERM);
    {
        const Interruptions interruptions;
        CHECK_THROWS_AS(read_all(*source_from_fd(pipe.read_end, "pipe", true), 1000), Stopped);
    }
    request_stop(0);
    ::close(pipe.write_end);
}

TEST_CASE("a full pipe is written to the end through interruptions and short writes") {
    const Pipe pipe = make_pipe();
    const std::string text(1'000'000, 'y');
    Bytes got;
    std::thread reader([&] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, nullptr);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        got = read_all(*source_from_fd(pipe.read_end, "pipe", true), text.size());
    });
    {
        const Interruptions interruptions;
        const auto sink = sink_to_fd(pipe.write_end, "pipe", true);
        const std::array parts{as_bytes(text).first(300'000), as_bytes(text).subspan(300'000)};
        sink->write_parts(parts);
        sink->finish();
    }
    reader.join();
    CHECK(text_of(got) == text);
}

TEST_CASE("a non-blocking descriptor is waited for") {
    const Pipe pipe = make_pipe();
    REQUIRE(::fcntl(pipe.read_end, F_SETFL, O_NONBLOCK) == 0);
    std::thread writer = slow_writer(pipe.write_end);
    CHECK(read_all(*source_from_fd(pipe.read_end, "pipe", true), 1000).size() == 20);
    writer.join();
}

TEST_CASE("more parts than one system call takes") {
    const TemporaryFolder folder;
    const std::string path = folder.path("many");
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<std::span<const std::byte>> parts(3000, as_bytes("ab"));
    const auto sink = sink_to_fd(fd, path, true);
    sink->write_parts(parts);
    sink->finish();
    CHECK(read_file(path).size() == 6000);
}

TEST_CASE("a reader that has gone is told from other faults") {
    const Pipe pipe = make_pipe();
    ::close(pipe.read_end);
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    const auto sink = sink_to_fd(pipe.write_end, "pipe", true);
    CHECK_THROWS_AS(sink->write(as_bytes("x")), BrokenPipe);
    sink->abandon();
    std::signal(SIGPIPE, before);
}

TEST_CASE("a standard stream's number is not given to the next file when it is closed") {
    const int standard_input = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
    for (const bool finished : {true, false}) {
        const Pipe pipe = make_pipe();
        REQUIRE(::dup2(pipe.write_end, 0) == 0);
        ::close(pipe.write_end);
        const auto sink = sink_to_fd(0, "pipe", true);
        sink->write(as_bytes("x"));
        finished ? sink->finish() : sink->abandon();
        CHECK(text_of(read_all(*source_from_fd(pipe.read_end, "pipe", true), 10)) == "x");  // its end came
        const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        CHECK(next > 2);
        ::close(next);
        CHECK(error_of([] { sink_to_fd(0, "standard input", false)->write(as_bytes("x")); }) ==
              "74: standard input: cannot write: Bad file descriptor");
    }
    ::dup2(standard_input, 0);
    ::close(standard_input);
}

TEST_CASE("descriptors that fail are named") {
    CHECK(error_of([] { sink_to_fd(-1, "standard output", false)->write(as_bytes("x")); }) ==
          "74: standard output: cannot write: Bad file descriptor");
    std::array<std::byte, 1> buffer;
    CHECK(error_of([&] { source_from_fd(-1, "standard input", false)->read_some(buffer); }) ==
          "74: standard input: cannot read: Bad file descriptor");
    const int folder = ::open("/", O_RDONLY | O_CLOEXEC);
    CHECK(error_of([&] { source_from_fd(folder, "standard input", true)->read_some(buffer); }) ==
          "66: standard input: cannot read: Is a directory");
}

TEST_CASE("sources that are no files are refused with 66") {
    const TemporaryFolder folder;
    CHECK(error_of([&] { source_from_file(folder.path()); }) == "66: " + folder.path() + ": is a directory, not a file");
    const std::string loop = folder.path("loop"), missing = folder.path("missing"), huge = "/" + std::string(4096, 'a');
    REQUIRE(::symlink(loop.c_str(), loop.c_str()) == 0);
    CHECK(error_of([&] { source_from_file(loop); }) == "66: " + loop + ": cannot open: Too many levels of symbolic links");
    CHECK(error_of([&] { source_from_file(missing); }) == "66: " + missing + ": cannot open: No such file or directory");
    CHECK(error_of([&] { source_from_file(huge); }) == "66: " + huge + ": cannot open: File name too long");
}

TEST_CASE("a FIFO is a source") {
    const TemporaryFolder folder;
    const std::string fifo = folder.path("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    std::thread writer([&] { write_file(fifo, "through the pipe"); });
    CHECK(text_of(read_all(*source_from_file(fifo), 100)) == "through the pipe");
    writer.join();
}
