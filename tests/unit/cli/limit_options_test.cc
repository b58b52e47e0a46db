#include "lib/cli/limit_options.h"

#include <doctest/doctest.h>

#include "tests/unit/caught_error.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
using namespace lcm::cli;

namespace {

constexpr Limits no_ceilings{.memory = 0, .pixels = 0, .record = 0, .seconds = 0};

class Policies {
public:
    std::string add(const std::string& text) { return write_file(folder_ / ("policy" + std::to_string(count_++) + ".toml"), text); }

private:
    TemporaryFolder folder_;
    int count_ = 0;
};

}  // namespace

TEST_CASE("without a policy a flag may ask for more than usual") {
    const auto usual = tightened(no_ceilings, {});
    CHECK(usual.pixels == 64'000'000);
    CHECK(usual.record == std::uint64_t{1} << 30);
    CHECK(usual.memory == 0);
    CHECK(usual.seconds == 0);
    const auto wanted = tightened(no_ceilings, {"pixels=100MP", "memory=4GiB", "time=2m", "record=2GiB"});
    CHECK(wanted.pixels == 100'000'000);
    CHECK(wanted.memory == std::uint64_t{4} << 30);
    CHECK(wanted.seconds == 120);
    CHECK(wanted.record == std::uint64_t{2} << 30);
}

TEST_CASE("under a ceiling a flag may only tighten") {
    auto ceilings = no_ceilings;
    ceilings.pixels = 1000;
    CHECK(tightened(ceilings, {}).pixels == 1000);
    CHECK(tightened(ceilings, {"pixels=1000"}).pixels == 1000);
    CHECK(tightened(ceilings, {"pixels=10"}).pixels == 10);
    check_error(ExitCode::refused, {"--limit", "pixels=1001", "1000"}, [&] { tightened(ceilings, {"pixels=1001"}); });
    ceilings.pixels = 100'000'000;  // above the usual limit: nothing changes until somebody asks
    CHECK(tightened(ceilings, {}).pixels == 64'000'000);
    CHECK(tightened(ceilings, {"pixels=90MP"}).pixels == 90'000'000);
}

TEST_CASE("whose the limit of a record is") {
    auto ceilings = no_ceilings;
    CHECK_FALSE(tightened(ceilings, {}).record_by_policy);
    ceilings.record = 1000;
    CHECK(tightened(ceilings, {}).record_by_policy);
    CHECK(tightened(ceilings, {"record=1000"}).record_by_policy);
    CHECK_FALSE(tightened(ceilings, {"record=999"}).record_by_policy);
    ceilings.record = std::uint64_t{2} << 30;
    CHECK_FALSE(tightened(ceilings, {}).record_by_policy);
    CHECK(tightened(ceilings, {"record=2GiB"}).record_by_policy);  // raised to the policy's own
    CHECK_FALSE(tightened(ceilings, {"record=1GiB"}).record_by_policy);
}

TEST_CASE("of several policies the lowest ceiling of each kind counts") {
    Policies policies;
    const auto first = policies.add("[limits]\npixels = \"10MP\"\nmemory = \"1GiB\"\n");
    const auto second = policies.add("[limits]\npixels = \"20MP\"\nmemory = \"512MiB\"\ntime = \"1h\"\n");
    for (const auto& files : {std::vector{first, second}, std::vector{second, first}}) {
        const auto ceilings = read_policies(files);
        CHECK(ceilings.pixels == 10'000'000);
        CHECK(ceilings.memory == std::uint64_t{512} << 20);
        CHECK(ceilings.seconds == 3600);
        CHECK(ceilings.record == 0);
    }
    CHECK(read_policies({policies.add("")}).pixels == 0);
}

TEST_CASE("a broken policy names file and line") {
    Policies policies;
    for (const auto& [text, line] : {std::pair("[limits", ":1"), std::pair("limits = 1", ":1"), std::pair("\n[limit]\n", ":2"),
                                     std::pair("[limits]\nrum = \"1\"", ":2"), std::pair("[limits]\npixels = 1", ":2"),
                                     std::pair("[limits]\npixels = \"many\"", "many")})
        check_error(ExitCode::config, {".toml", line}, [&] { read_policies({policies.add(text)}); });
}
