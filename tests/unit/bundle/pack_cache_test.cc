#include "lib/core/bundle/pack_cache.h"

#include <doctest/doctest.h>

#include <chrono>

#include "tests/unit/temporary_cache.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

/// Leaves a file of nothing (without blocks on the disk) in the cache, last used so long ago.
std::string leave(const TemporaryCache& cache, const std::string& name, std::uint64_t bytes, std::chrono::hours age) {
    const std::string path = write_file(cache / ("lcm/packed/" + name), "");
    fs::resize_file(path, bytes);
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
    return path;
}

constexpr std::chrono::hours hour{1}, week{7 * 24};

}  // namespace

TEST_CASE("a cache of packed weights is for large networks that fit in it") {
    const TemporaryCache cache;
    CHECK(open_pack_cache("key", least_packed_bytes) != nullptr);
    CHECK(open_pack_cache("key", least_packed_bytes - 1) == nullptr);
    CHECK(open_pack_cache("key", most_packed_bytes + 1) == nullptr);
}

TEST_CASE("room for packed weights is made by removing those that were used last the longest time ago") {
    const TemporaryCache cache;
    const std::uint64_t third = most_packed_bytes / 3;
    const std::string old = leave(cache, "old", third, 3 * hour), older = leave(cache, "older", third, week),
                      young = leave(cache, "young", third, hour);
    open_pack_cache("key", least_packed_bytes);
    CHECK_FALSE(fs::exists(older));
    CHECK(fs::exists(old));
    CHECK(fs::exists(young));
}

TEST_CASE("what a killed run has left goes after a day, what another is writing stays") {
    const TemporaryCache cache;
    const std::string left = leave(cache, ".lcm-0000000000000001.tmp", 1, week),
                      written = leave(cache, ".lcm-0000000000000002.tmp", most_packed_bytes, hour);
    open_pack_cache("key", least_packed_bytes);
    CHECK_FALSE(fs::exists(left));
    CHECK(fs::exists(written));
}
