#include <doctest/doctest.h>

#include <cstdint>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/cli/seed_options.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"

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

TEST_CASE("a record without a seed gets the next ones of the run") {
    lcm::cli::SeedOptions options;
    options.batch = 3;
    CHECK(options.seed_of({}, 0, 70) == 70);
    CHECK(options.seed_of({}, 2, 70) == 76);
    CHECK(options.seed_of({}, 1, UINT64_MAX) == 2);  // seeds go round
}

TEST_CASE("a record keeps its own seed, and a flag that contradicts it is refused") {
    lcm::Record record;
    record.set(lcm::key::seed, "7");
    lcm::cli::SeedOptions options;
    CHECK(options.seed_of(record, 1, 0) == 7);
    options.seed = "6";
    CHECK(options.seed_of(record, 1, 6) == 7);
    check_error(lcm::ExitCode::usage, {"--seed", "has seed 7"}, [&] { options.seed_of(record, 2, 6); });
    record.set(lcm::key::seed, "seven");
    check_error(lcm::ExitCode::data, {"lcm.seed"}, [&] { options.seed_of(record, 1, 6); });
}

TEST_CASE("a picture that was begun is not copied") {
    lcm::Record record;
    record.set(lcm::key::seed, "7");
    lcm::cli::SeedOptions options;
    options.batch = 2;
    CHECK(options.seed_of(record, 0, 0) == 7);  // not begun: copies get the next seeds
    record.set(lcm::key::step, "2");
    check_error(lcm::ExitCode::usage, {"--batch"}, [&] { options.seed_of(record, 0, 0); });
}

TEST_CASE("a random seed is another one each time") {
    lcm::set_log({.level = lcm::LogLevel::error});  // the seed would be told on stderr
    CHECK(first_seed("random") != first_seed("random"));
}

}  // namespace
