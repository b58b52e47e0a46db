#include "lib/core/weights/pack_store.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>

#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

constexpr const char* key = "weights of a test";

/// Counts from `first` on, in `pieces` of a size that no other divides.
nn::Packing counting(std::int64_t pieces, float first = 0, std::int64_t piece = 3 * 16) {
    return {{pieces, piece}, at::kFloat, [=](std::int64_t index, void* to) {
                const at::Tensor numbers = at::arange(index * piece, (index + 1) * piece, at::kFloat).add_(first);
                std::memcpy(to, numbers.const_data_ptr(), numbers.nbytes());
            }};
}

bool is_counting(const nn::PackedWeight& packed, const nn::Packing& packing) {
    return packed.weight.defined() && at::equal(packed.weight, nn::pack(packing));
}

bool is_empty(const TemporaryFolder& folder) { return fs::is_empty(folder.path()); }

/// Leaves a store with two weights.
std::string kept_store(const TemporaryFolder& folder) {
    const std::string path = folder / "packed.safetensors";
    PackStore store(path, key);
    CHECK_FALSE(store.is_there());
    CHECK(is_counting(store.pack("small", counting(1)), counting(1)));
    CHECK(is_counting(store.pack("large", counting(9001, 5)), counting(9001, 5)));
    CHECK_FALSE(fs::exists(path));
    store.keep();
    return path;
}

}  // namespace

TEST_CASE("a weight is packed piece by piece into memory") {
    const at::Tensor packed = nn::pack(counting(7));
    CHECK(at::equal(packed, at::arange(7 * 48, at::kFloat).view({7, 48})));
    const nn::Packing same = nn::packing_of(packed);
    CHECK(same.pieces() == 1);
    CHECK(at::equal(nn::pack(same)[0], packed));
}

TEST_CASE("packed weights are kept from one run to the next") {
    const TemporaryFolder folder;
    const std::string path = kept_store(folder);
    struct stat status;
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(status.st_size == (1 << 20) + 9002 * 48 * 4);  // the header's room and both weights
    PackStore store(path, key);
    REQUIRE(store.is_there());
    for (const auto& [name, packing] : {std::pair{"small", counting(1)}, {"large", counting(9001, 5)}}) {
        const nn::PackedWeight found = store.find(name);
        CHECK(is_counting(found, packing));
        CHECK(reinterpret_cast<std::uintptr_t>(found.weight.const_data_ptr()) % 64 == 0);
    }
    CHECK_FALSE(store.find("other").weight.defined());
}

TEST_CASE("nothing is left of a store that is not kept, and what it packed stays valid") {
    const TemporaryFolder folder;
    nn::PackedWeight packed;
    {
        PackStore store(folder / "packed.safetensors", key);
        packed = store.pack("large", counting(9001));
        CHECK_FALSE(is_empty(folder));
    }
    CHECK(is_empty(folder));
    CHECK(is_counting(packed, counting(9001)));
}

TEST_CASE("a file of another key, cut short or open to others is not believed") {
    const TemporaryFolder folder;
    const std::string path = kept_store(folder);
    CHECK_FALSE(PackStore(path, "another").is_there());
    fs::permissions(path, fs::perms::group_write, fs::perm_options::add);
    CHECK_FALSE(PackStore(path, key).is_there());
    fs::permissions(path, fs::perms::group_write, fs::perm_options::remove);
    REQUIRE(PackStore(path, key).is_there());
    fs::resize_file(path, fs::file_size(path) - 64);
    CHECK_FALSE(PackStore(path, key).is_there());
}

TEST_CASE("where the file cannot be written, weights are packed in memory and nothing is left") {
    const TemporaryFolder folder;
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{std::uint64_t{3} << 20, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    PackStore store(folder / "packed.safetensors", key);
    const nn::PackedWeight first = store.pack("first", counting(9001)), second = store.pack("second", counting(9001, 1)),
                           third = store.pack("third", counting(1, 2));
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK(is_empty(folder));
    CHECK(is_counting(first, counting(9001)));
    CHECK(is_counting(second, counting(9001, 1)));
    CHECK(is_counting(third, counting(1, 2)));
    store.keep();
    CHECK(is_empty(folder));
}

TEST_CASE("weights that would leave the next ones unaligned are not kept, the others are") {
    const TemporaryFolder folder;
    const std::string path = folder / "packed.safetensors";
    {
        PackStore store(path, key);
        CHECK(is_counting(store.pack("odd", counting(3, 0, 7)), counting(3, 0, 7)));
        CHECK(is_counting(store.pack("even", counting(4)), counting(4)));
        store.keep();
    }
    const PackStore store(path, key);
    CHECK_FALSE(store.find("odd").weight.defined());
    CHECK(is_counting(store.find("even"), counting(4)));
}

TEST_CASE("without its folder a store packs in memory") {
    const TemporaryFolder folder;
    PackStore store(folder / "missing/packed.safetensors", key);
    CHECK(is_counting(store.pack("small", counting(1)), counting(1)));
    store.keep();
    CHECK(is_empty(folder));
}
