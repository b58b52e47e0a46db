#include "lib/base/clock.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

constexpr const char* variable = "SOURCE_DATE_EPOCH";

struct Epoch {
    explicit Epoch(const char* value) { ::setenv(variable, value, 1); }
    ~Epoch() { ::unsetenv(variable); }
};

}  // namespace

TEST_CASE("times are written as UTC") {
    CHECK(iso_8601_utc(0) == "1970-01-01T00:00:00Z");
    CHECK(iso_8601_utc(951827696) == "2000-02-29T12:34:56Z");
    CHECK(iso_8601_utc(253402300799) == "9999-12-31T23:59:59Z");
}

TEST_CASE("SOURCE_DATE_EPOCH rules the time") {
    ::unsetenv(variable);
    CHECK_FALSE(source_date_epoch());
    const auto now = now_seconds();
    CHECK(std::abs(now - std::time(nullptr)) <= 1);
    CHECK(now > 1'700'000'000);
    const Epoch epoch("951827696");
    CHECK(source_date_epoch() == 951827696);
    CHECK(now_seconds() == 951827696);
}

TEST_CASE("an empty SOURCE_DATE_EPOCH is none, a wrong one an error") {
    {
        const Epoch empty("");
        CHECK_FALSE(source_date_epoch());
    }
    for (const char* wrong : {"-1", "1.5", "x", "1e9", " 1", "253402300800", "99999999999999999999"}) {
        CAPTURE(wrong);
        const Epoch epoch(wrong);
        CHECK(error_of([] { source_date_epoch(); }) == "78: SOURCE_DATE_EPOCH: is \"" + std::string(wrong) + "\"");
        CHECK(error_of([] { now_seconds(); }) != "nothing");
    }
    const Epoch last("253402300799");
    CHECK(source_date_epoch() == 253402300799);
}
