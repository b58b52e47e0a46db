#include <doctest/doctest.h>

#include <cstdint>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/cli/seed_options.h"
#include "lib/stream/keys.h"

namespace {

std::uint64_t first_seed(const char* text) {
    lcm::cli::SeedOptions options;
    options.seed = text;
    return options.first_seed();
}

TEST_CASE("the seed is 0 unless given") { CHECK(lcm::cli::SeedOptions().first_seed() == 0); }

TEST_CASE("a seed has 64 bits") {
    CHECK(first_seed("42") == 42);
    CHECK(first_seed("18446744073709551615") == UINT64_MAX);
}

TEST_CASE("anything else is no seed") {
    for (const char* text : {"", "-1", "+1", "1.0", "1e3", " 1", "0x1", "18446744073709551616", "RANDOM", "7,5"}) {
        CAPTURE(text);
        try {
            first_seed(text);
            FAIL("was taken");
        } catch (const lcm::Error& error) {
            CHECK(error.code() == lcm::ExitCode::usage);
            CHECK(error.where() == "--seed");
        }
    }
}

TEST_CASE("a record that was begun keeps its seed") {
    lcm::Record record;
    record.set(lcm::key::seed, "7");
    lcm::cli::SeedOptions options;
    options.batch = 3;
    CHECK_NOTHROW(options.expect_fits(record, 8));  // not begun: its seed says nothing yet
    record.set(lcm::key::step, "2");
    CHECK_THROWS_AS(options.expect_fits(record, 7), lcm::Error);  // copies of it
    options.batch = 1;
    CHECK_NOTHROW(options.expect_fits(record, 8));
    options.seed = "8";
    CHECK_THROWS_AS(options.expect_fits(record, 8), lcm::Error);
    CHECK_NOTHROW(options.expect_fits(record, 7));
}

TEST_CASE("a random seed is another one each time") {
    lcm::set_log("", lcm::LogLevel::error);  // the seed would be told on stderr
    CHECK(first_seed("random") != first_seed("random"));
}

}  // namespace
