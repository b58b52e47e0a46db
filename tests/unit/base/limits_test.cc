#include <doctest/doctest.h>

#include "lib/base/resource_limits.h"
#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

std::string fault(const char* name, const char* amount) {
    return error_of([&] { parse_limit(name, amount, "--limit"); });
}

std::string size_fault(std::int64_t width, std::int64_t height) {
    return error_of([&] { expect_picture_size(width, height, "the picture"); });
}

}  // namespace

TEST_CASE("amounts with their units") {
    for (const auto& [name, amount, value] :
         {std::tuple("memory", "1", 1ULL), std::tuple("memory", "4GiB", 4ULL << 30), std::tuple("record", "500MB", 500'000'000ULL),
          std::tuple("memory", "2kB", 2000ULL), std::tuple("pixels", "64MP", 64'000'000ULL), std::tuple("pixels", "4096", 4096ULL),
          std::tuple("time", "10m", 600ULL), std::tuple("time", "90s", 90ULL), std::tuple("time", "2h", 7200ULL),
          std::tuple("time", "1d", 86400ULL), std::tuple("record", "18446744073709551615", 18446744073709551615ULL)}) {
        CAPTURE(amount);
        CHECK(parse_limit(name, amount, "--limit") == value);
    }
}

TEST_CASE("what is no amount") {
    for (const auto& [name, amount] :
         {std::pair("memory", ""), std::pair("memory", "0"), std::pair("memory", "-1"), std::pair("memory", "4MP"),
          std::pair("pixels", "4MiB"), std::pair("time", "1.5m"), std::pair("time", "5y"), std::pair("time", " 5s"),
          std::pair("time", "5 s"), std::pair("record", "MiB"), std::pair("record", "18446744073709551616"),
          std::pair("record", "18446744073709551615kB"), std::pair("record", "1gib")}) {
        CAPTURE(amount);
        CHECK(fault(name, amount).starts_with("64: --limit: "));
    }
}

TEST_CASE("a limit is found by its name") {
    Limits all;
    CHECK(all.find("memory") == &all.memory);
    CHECK(all.find("pixels") == &all.pixels);
    CHECK(all.find("record") == &all.record);
    CHECK(all.find("time") == &all.seconds);
    CHECK(all.find("seconds") == nullptr);
}

TEST_CASE("a picture above the limit is refused, also where the product is large") {
    const auto usual = limits();
    CHECK(size_fault(8000, 8000) == "nothing");
    CHECK(size_fault(8000, 8001).starts_with("77"));
    CHECK(size_fault(max_side, 1) == "nothing");
    CHECK(size_fault(max_side + 1, 1).starts_with("77"));
    CHECK(size_fault(INT64_MAX, INT64_MAX).starts_with("77"));
    auto tight = usual;
    tight.pixels = 4;
    set_limits(tight);
    CHECK(size_fault(2, 2) == "nothing");
    CHECK(size_fault(5, 1).find("is 5x1 pixels") != std::string::npos);
    set_limits(usual);
}
