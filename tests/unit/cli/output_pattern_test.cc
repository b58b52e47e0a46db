#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "lib/base/error.h"
#include "lib/cli/output_pattern.h"

namespace {

using lcm::cli::OutputPattern;

TEST_CASE("a path without a number takes one picture") {
    const OutputPattern pattern("pictures/a.png");
    CHECK_FALSE(pattern.numbered());
    CHECK(pattern.path(0) == "pictures/a.png");
    CHECK(pattern.path(7) == "pictures/a.png");
}

TEST_CASE("a number is filled up with zeros to its width and may be wider") {
    CHECK(OutputPattern("x-%04d.png").path(7) == "x-0007.png");
    CHECK(OutputPattern("x-%04d.png").path(12345) == "x-12345.png");
    CHECK(OutputPattern("%d").path(0) == "0");
    CHECK(OutputPattern("%0d.png").path(3) == "3.png");
    CHECK(OutputPattern("%020d").path(UINT64_MAX) == "18446744073709551615");
    CHECK(OutputPattern("%01d/%%d").path(4) == "4/%d");
}

TEST_CASE("two per cent signs are one") {
    const OutputPattern pattern("100%%.png");
    CHECK_FALSE(pattern.numbered());
    CHECK(pattern.path(0) == "100%.png");
}

TEST_CASE("every other use of a per cent sign is refused with the name and the rule") {
    for (const char* text : {"%", "a%", "%s", "%5d", "%04x", "%-4d", "%d%d", "%04d-%d", "%021d", "%099999999999999999999d", "% d", "%4%"}) {
        CAPTURE(text);
        try {
            const OutputPattern pattern(text);
            FAIL("was taken as \"" << pattern.path(0) << "\"");
        } catch (const lcm::Error& error) {
            CHECK(error.code() == lcm::ExitCode::usage);
            CHECK(error.fault().find(text) != std::string::npos);
            CHECK(error.fix().find("%04d") != std::string::npos);
        }
    }
}

}  // namespace
