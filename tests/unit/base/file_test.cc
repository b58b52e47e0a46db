#include "lib/base/file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <csignal>
#include <thread>
#include <vector>

#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

mode_t mode_of(const std::string& path) {
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("nothing is visible before finish, and then the whole") {
    const TemporaryFolder folder;
    const std::string path = folder.path("out");
    write_file(path, "old");
    const auto sink = sink_to_file(path);
    sink->write(as_bytes("new"));
    CHECK_FALSE(sink->immediate());
    CHECK(read_file(path) == "old");
    sink->finish();
    CHECK(read_file(path) == "new");
    CHECK(folder.count() == 1);
}

TEST_CASE("a sink that is not finished leaves nothing") {
    const TemporaryFolder folder;
    const std::string path = folder.path("out");
    sink_to_file(path)->write(as_bytes("lost"));
    CHECK(folder.count() == 0);
    const auto sink = sink_to_file(path);
    sink->write(as_bytes("given up"));
    sink->abandon();
    sink->abandon();
    CHECK(folder.count() == 0);
}

TEST_CASE("signals leave no temporary file") {
    const TemporaryFolder folder;
    const auto first = sink_to_file(folder.path("a")), second = sink_to_file(folder.path("b"));
    CHECK(folder.count() == 2);
    remove_temporary_files();
    CHECK(folder.count() == 0);
    CHECK(error_of([&] { first->finish(); }) == "73: " + folder.path("a") + ": cannot create: No such file or directory");
    const auto third = sink_to_file(folder.path("c"));  // the list goes on working
    third->finish();
    CHECK(folder.count() == 1);
}

TEST_CASE("too many open outputs are an error, not an unlisted file") {
    const TemporaryFolder folder;
    std::vector<std::unique_ptr<ByteSink>> sinks;
    const auto open_one_more = [&] { sinks.push_back(sink_to_file(folder.path("out"))); };
    for (int i = 0; i < 64; ++i) open_one_more();
    CHECK(error_of(open_one_more) == "70: " + folder.path("out") + ": too many output files are open at once");
    sinks.clear();
    open_one_more();
    CHECK(folder.count() == 1);
}

TEST_CASE("the umask rules the mode") {
    const TemporaryFolder folder;
    const mode_t before = ::umask(027);
    sink_to_file(folder.path("out"))->finish();
    ::umask(before);
    CHECK(mode_of(folder.path("out")) == 0640);
}

TEST_CASE("an existing file is kept when asked") {
    const TemporaryFolder folder;
    const std::string path = folder.path("out");
    const auto early = sink_to_file(path, Existing::keep);
    write_file(path, "theirs");
    CHECK(error_of([&] { early->finish(); }) == "73: " + path + ": is already there");
    CHECK(error_of([&] { sink_to_file(path, Existing::keep); }) == "73: " + path + ": is already there");
    CHECK(read_file(path) == "theirs");
    sink_to_file(folder.path("fresh"), Existing::keep)->finish();
    CHECK(read_file(folder.path("fresh")).empty());
}

TEST_CASE("what cannot be created is named") {
    const TemporaryFolder folder;
    const std::string missing = folder.path("missing/out");
    CHECK(error_of([&] { sink_to_file(missing); }) == "73: " + missing + ": cannot create: No such file or directory");
    CHECK(error_of([&] { sink_to_file(folder.path()); }) == "73: " + folder.path() + ": is a directory, not a file");
    write_file(folder.path("file"), "");
    const std::string below = folder.path("file/out");
    CHECK(error_of([&] { sink_to_file(below); }) == "73: " + below + ": cannot create: Not a directory");
}

TEST_CASE("a symbolic link is replaced, its target untouched") {
    const TemporaryFolder folder;
    const std::string target = folder.path("target"), link = folder.path("link");
    write_file(target, "precious");
    REQUIRE(::symlink(target.c_str(), link.c_str()) == 0);
    const auto sink = sink_to_file(link);
    sink->write(as_bytes("new"));
    sink->finish();
    CHECK(read_file(target) == "precious");
    CHECK(read_file(link) == "new");
}

TEST_CASE("special files are written directly") {
    const auto null = sink_to_file("/dev/null", Existing::keep);
    CHECK(null->immediate());
    null->write(as_bytes("gone"));
    null->finish();
    CHECK(error_of([] { sink_to_file("/dev/full")->write(as_bytes("x")); }) == "74: /dev/full: cannot write: No space left on device");

    const TemporaryFolder folder;
    const std::string fifo = folder.path("fifo");
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    std::string got;
    std::thread reader([&] { got = read_file(fifo); });
    const auto sink = sink_to_file(fifo);
    sink->write(as_bytes("through"));
    sink->finish();
    reader.join();
    CHECK(got == "through");
}

TEST_CASE("a write that fails half-way leaves no file") {
    const TemporaryFolder folder;
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit small{1000, before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &small);
    const std::string path = folder.path("out");
    const std::string fault = error_of([&] { sink_to_file(path)->write(as_bytes(std::string(5000, 'x'))); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(fault == "74: " + path + ": cannot write: File too large");
    CHECK(folder.count() == 0);
}

TEST_CASE("text files are read whole, within a limit") {
    const TemporaryFolder folder;
    write_file(folder.path("text"), "one\ntwo");
    CHECK(read_text_file(folder.path("text"), 7) == "one\ntwo");
    CHECK(error_of([&] { read_text_file(folder.path("text"), 6); }) == "65: " + folder.path("text") + ": holds more than 6 bytes");
}

TEST_CASE("a mapping outlives the object that made it") {
    const TemporaryFolder folder;
    write_file(folder.path("weights"), "0123456789");
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
    {
        const MappedFile file(folder.path("weights"));
        owner = file.owner();
        bytes = file.bytes();
        CHECK(file.path() == folder.path("weights"));
    }
    CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == "0123456789");
    write_file(folder.path("empty"), "");
    CHECK(MappedFile(folder.path("empty")).bytes().empty());
}

TEST_CASE("only regular files are mapped") {
    const TemporaryFolder folder;
    REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
    const auto fault = [](const std::string& path) { return error_of([&] { MappedFile file(path); }); };
    CHECK(fault(folder.path("fifo")) == "66: " + folder.path("fifo") + ": is not a regular file");
    CHECK(fault(folder.path()) == "66: " + folder.path() + ": is a directory, not a file");
    CHECK(fault("/dev/zero") == "66: /dev/zero: is not a regular file");
    CHECK(fault(folder.path("none")) == "66: " + folder.path("none") + ": cannot open: No such file or directory");
}
