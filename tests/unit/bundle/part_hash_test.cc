#include "lib/core/bundle/part_hash.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "lib/base/bytes.h"
#include "lib/base/sha256.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/temporary_cache.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

std::string hash_of(const std::string& text) { return sha256_hex(as_bytes(text)); }

struct Cache : TemporaryCache {
    std::vector<std::string> entries() const {
        std::vector<std::string> paths;
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(*this / "lcm/sha256", ignored)) paths.push_back(entry.path());
        return paths;
    }
};

/// Gives a file the time it had, as a change in the same instant would.
void keep_time(const std::string& path, const struct stat& before) {
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("files are hashed one after the other") {
    const Cache cache;
    const TemporaryFolder folder;
    const std::string a = write_file(folder / "a", "first "), b = write_file(folder / "b", "second");
    CHECK(hash_files({a, b}) == hash_of("first second"));
    CHECK(hash_files({b, a}) == hash_of("secondfirst "));
    CHECK(hash_files({a}) == hash_of("first "));
    // Longer than one piece of reading.
    const std::string large(9 << 20, 'x');
    CHECK(hash_files({write_file(folder / "large", large)}) == hash_of(large));
    check_error(ExitCode::no_input, {folder / "absent"}, [&] { hash_files({folder / "absent"}); });
}

TEST_CASE("a remembered hash is used again while the file stays as it is") {
    const Cache cache;
    const TemporaryFolder folder;
    const std::string path = write_file(folder / "weights", "one");
    struct stat before;
    REQUIRE(::stat(path.c_str(), &before) == 0);
    CHECK(hash_files({path}) == hash_of("one"));
    REQUIRE(cache.entries().size() == 1);
    CHECK(read_file(cache.entries().front()) == hash_of("one"));

    write_file(path, "two");  // same inode and size; with the old time nothing tells the change
    keep_time(path, before);
    CHECK(hash_files({path}) == hash_of("one"));

    fs::last_write_time(path, fs::last_write_time(path) + std::chrono::nanoseconds(1000));
    CHECK(hash_files({path}) == hash_of("two"));
    write_file(path, "three");
    keep_time(path, before);  // another size
    CHECK(hash_files({path}) == hash_of("three"));
}

TEST_CASE("another file of the same size and time is hashed for itself") {
    const Cache cache;
    const TemporaryFolder folder;
    const std::string path = write_file(folder / "weights", "one");
    struct stat before;
    REQUIRE(::stat(path.c_str(), &before) == 0);
    CHECK(hash_files({path}) == hash_of("one"));
    fs::rename(write_file(folder / "new", "two"), path);
    keep_time(path, before);
    CHECK(hash_files({path}) == hash_of("two"));
}

TEST_CASE("a broken cache entry is made anew") {
    const Cache cache;
    const TemporaryFolder folder;
    const std::string path = write_file(folder / "weights", "one");
    hash_files({path});
    REQUIRE(cache.entries().size() == 1);
    const std::string entry = cache.entries().front();
    const std::string broken_entries[] = {"", "abc", std::string(64, 'G'), std::string(65, 'a'), std::string(100000, 'a')};
    for (const std::string& broken : broken_entries) {
        write_file(entry, broken);
        CHECK(hash_files({path}) == hash_of("one"));
        CHECK(read_file(entry) == hash_of("one"));
    }
    fs::remove(entry);
    fs::create_directory(entry);
    CHECK(hash_files({path}) == hash_of("one"));
}

TEST_CASE("without a cache folder the hash is computed and nothing is said") {
    const TemporaryFolder folder;
    const std::string path = write_file(folder / "weights", "one");
    const std::string file_in_the_way = write_file(folder / "cache", "");
    for (const std::string& place : {file_in_the_way, std::string("relative"), std::string("/proc/none")}) {
        ::setenv("XDG_CACHE_HOME", place.c_str(), 1);
        CHECK(hash_files({path}) == hash_of("one"));
    }
    CHECK_FALSE(fs::exists("relative"));
    ::unsetenv("XDG_CACHE_HOME");
}

TEST_CASE("the cache stands below the home folder when XDG names none") {
    const TemporaryFolder home;
    const char* before = std::getenv("HOME");
    const std::string old_home = before ? before : "";
    ::unsetenv("XDG_CACHE_HOME");
    ::setenv("HOME", home.path().c_str(), 1);
    CHECK(hash_files({write_file(home / "weights", "one")}) == hash_of("one"));
    CHECK(std::distance(fs::directory_iterator(home / ".cache/lcm/sha256"), fs::directory_iterator()) == 1);
    ::setenv("HOME", old_home.c_str(), 1);
}
