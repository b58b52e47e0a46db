#include "lib/core/bundle/pack_cache.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>

#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

/// A cache of its own for one test case.
class Cache {
public:
    Cache() { ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;
    ~Cache() { ::unsetenv("XDG_CACHE_HOME"); }

    std::string packed() const { return folder_ / "lcm/packed"; }

    /// A file of nothing (without blocks on the disk), last used so long ago.
    std::string leave(const std::string& name, std::uint64_t bytes, std::chrono::hours age) const {
        const std::string path = write_file(packed() + "/" + name, "");
        fs::resize_file(path, bytes);
        fs::last_write_time(path, fs::file_time_type::clock::now() - age);
        return path;
    }

private:
    TemporaryFolder folder_;
};

constexpr std::chrono::hours hour{1}, week{7 * 24};

}  // namespace

TEST_CASE("a cache of packed weights is for large networks that fit in it") {
    const Cache cache;
    CHECK(open_pack_cache("key", least_packed_bytes) != nullptr);
    CHECK(open_pack_cache("key", least_packed_bytes - 1) == nullptr);
    CHECK(open_pack_cache("key", most_packed_bytes + 1) == nullptr);
}

TEST_CASE("room for packed weights is made by removing those that were used last the longest time ago") {
    const Cache cache;
    const std::uint64_t third = most_packed_bytes / 3;
    const std::string old = cache.leave("old", third, 3 * hour), older = cache.leave("older", third, week),
                      young = cache.leave("young", third, hour);
    open_pack_cache("key", least_packed_bytes);
    CHECK_FALSE(fs::exists(older));
    CHECK(fs::exists(old));
    CHECK(fs::exists(young));
}

TEST_CASE("what a killed run has left goes after a day, what another is writing stays") {
    const Cache cache;
    const std::string left = cache.leave(".lcm-0000000000000001.tmp", 1, week),
                      written = cache.leave(".lcm-0000000000000002.tmp", most_packed_bytes, hour);
    open_pack_cache("key", least_packed_bytes);
    CHECK_FALSE(fs::exists(left));
    CHECK(fs::exists(written));
}
