#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "lib/base/error.h"
#include "lib/cli/output_pattern.h"
#include "tests/unit/caught_error.h"

namespace {

using lcm::Record;
using lcm::cli::OutputPattern;

const Record nothing;

// The path of a record with this id.
std::string named(const char* pattern, const std::string& id) {
    Record record;
    record.set("lcm.id", id);
    record.set("lcm.seed", "18446744073709551615");
    return OutputPattern(pattern).path(7, record);
}

TEST_CASE("a path without a number takes one picture") {
    const OutputPattern pattern("pictures/a.png");
    CHECK_FALSE(pattern.takes_many());
    CHECK(pattern.path(0, nothing) == "pictures/a.png");
    CHECK(pattern.path(7, nothing) == "pictures/a.png");
}

TEST_CASE("a number is filled up with zeros to its width and may be wider") {
    CHECK(OutputPattern("x-%04d.png").path(7, nothing) == "x-0007.png");
    CHECK(OutputPattern("x-%04d.png").path(12345, nothing) == "x-12345.png");
    CHECK(OutputPattern("%d").path(0, nothing) == "0");
    CHECK(OutputPattern("%0d.png").path(3, nothing) == "3.png");
    CHECK(OutputPattern("%020d").path(UINT64_MAX, nothing) == "18446744073709551615");
    CHECK(OutputPattern("%01d/%%d").path(4, nothing) == "4/%d");
}

TEST_CASE("two per cent signs are one") {
    const OutputPattern pattern("100%%.png");
    CHECK_FALSE(pattern.takes_many());
    CHECK(pattern.path(0, nothing) == "100%.png");
}

TEST_CASE("every other use of a per cent sign is refused with the name and the rule") {
    for (const char* text : {"%", "a%", "%s", "%5d", "%04x", "%-4d", "%d%d", "%04d-%d", "%021d", "%099999999999999999999d", "% d", "%4%",
                             "{", "}", "{name}", "{id", "{ID}", "{}", "a}.png"}) {
        CAPTURE(text);
        try {
            const OutputPattern pattern(text);
            FAIL("was taken as \"" << pattern.path(0, nothing) << "\"");
        } catch (const lcm::Error& error) {
            CHECK(error.code() == lcm::ExitCode::usage);
            CHECK(error.fault().find(text) != std::string::npos);
            CHECK(error.fix().find("%04d") != std::string::npos);
        }
    }
}

TEST_CASE("seed and id of the record, and braces themselves") {
    CHECK(named("{id}-{seed}.png", "apple") == "apple-18446744073709551615.png");
    CHECK(named("%03d{id}{id}", "a") == "007aa");
    CHECK(named("{{id}}%%", "a") == "{id}%");
    CHECK_FALSE(OutputPattern("{{id}}").takes_many());
    CHECK(OutputPattern("{seed}").takes_many());
}

TEST_CASE("an id never leads out of the folder and is never hidden") {
    for (const auto& [id, name] :
         {std::pair("../../x", "_._.._x"), std::pair("a/b", "a_b"), std::pair(".hidden", "_hidden"), std::pair("..", "_."),
          std::pair("\x1b[31m\n", "__31m_"), std::pair("\xC3\xA9", "__"), std::pair("a b\\c:d", "a_b_c_d"), std::pair("~", "_"),
          std::pair("-rf", "-rf"), std::pair("%d{id}", "_d_id_")})
        CHECK(named("out/{id}", id) == std::string("out/") + name);
    CHECK(named("{id}", std::string(1000, 'x')).size() == 128);
    CHECK(named("{id}", std::string("a\0b", 3)) == "a_b");
}

TEST_CASE("a record without the value is named with the way out") {
    Record record;
    record.place = "record 3";
    for (const char* pattern : {"{id}", "{seed}"})
        check_error(lcm::ExitCode::data, {"record 3", "%04d"}, [&] { OutputPattern(pattern).path(0, record); });
    record.set("lcm.id", "");
    check_error(lcm::ExitCode::data, {"record 3", "lcm.id", "is empty"}, [&] { OutputPattern("{id}").path(0, record); });
    record.set("lcm.seed", "../1");
    check_error(lcm::ExitCode::data, {"record 3", "lcm.seed"}, [&] { OutputPattern("{seed}").path(0, record); });
}

TEST_CASE("a name of a pattern is given once") {
    OutputPattern pattern("{id}.png"), plain("a.png");
    Record record;
    record.set("lcm.id", "a/b");
    CHECK(pattern.take(0, record) == "a_b.png");
    record.set("lcm.id", "a:b");
    check_error(lcm::ExitCode::usage, {"--output", "two files a_b.png", "%04d"}, [&] { pattern.take(1, record); });
    CHECK(pattern.path(1, record) == "a_b.png");
    CHECK(plain.take(0, record) == plain.take(1, record));
}

}  // namespace
