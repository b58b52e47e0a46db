#include "lib/base/number.h"

#include <doctest/doctest.h>

#include <clocale>
#include <cmath>
#include <limits>

using namespace lcm;

TEST_CASE("unsigned integers are digits only") {
    CHECK(parse_u64("0") == 0u);
    CHECK(parse_u64("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
    for (const char* bad : {"", " 1", "1 ", "+1", "-1", "-0", "01", "00", "1e3", "1.0", "0x10", "18446744073709551616", "١"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_u64(bad).has_value());
    }
}

TEST_CASE("signed integers have one spelling") {
    CHECK(parse_i64("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
    CHECK(parse_i64("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
    CHECK(parse_i64("0") == 0);
    for (const char* bad : {"", "-", "-0", "-01", "+1", "--1", "9223372036854775808", "1.5"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_i64(bad).has_value());
    }
}

TEST_CASE("numbers are finite and whole tokens") {
    CHECK(parse_number("0.18215") == 0.18215);
    CHECK(parse_number("-1e-05") == -1e-05);
    CHECK(parse_number("8") == 8.0);
    for (const char* bad : {"", "nan", "inf", "-inf", "1e999", "1,5", "1.5x", " 1", "+1", "."}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_number(bad).has_value());
    }
}

TEST_CASE("numbers are written in the shortest form that reads back") {
    CHECK(format_number(8) == "8");
    CHECK(format_number(0.18215) == "0.18215");
    CHECK(format_number(1e-5) == "1e-05");
    CHECK(format_number(0.1 + 0.2) == "0.30000000000000004");
    for (const double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5}) CHECK(parse_number(format_number(value)) == value);
}

TEST_CASE("the locale changes nothing") {
    const char* comma = std::setlocale(LC_ALL, "de_DE.UTF-8");  // harmless where the locale is not installed
    CAPTURE(comma);
    CHECK(format_number(0.5) == "0.5");
    CHECK(parse_number("0.5") == 0.5);
    std::setlocale(LC_ALL, "C");
}

TEST_CASE("products say when they overflow") {
    CHECK(checked_mul(1ull << 32, (1ull << 32) - 1) == (1ull << 32) * ((1ull << 32) - 1));
    CHECK_FALSE(checked_mul(1ull << 32, 1ull << 32).has_value());
}
