#include "lib/render/interpolate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

// Sines and an arc cosine of numbers near 1 in double.
constexpr double tolerance = 1e-15;

}  // namespace

TEST_CASE("slerp walks the circle at constant speed") {
    const std::vector<double> right{1, 0}, up{0, 1};
    for (const double fraction : {0.0, 0.25, 0.5, 0.75, 1.0}) {
        const auto point = slerp(right, up, fraction);
        CHECK(std::abs(point[0] - std::cos(fraction * std::numbers::pi / 2)) < tolerance);
        CHECK(std::abs(point[1] - std::sin(fraction * std::numbers::pi / 2)) < tolerance);
    }
}

TEST_CASE("slerp is a straight line where there is no angle to walk") {
    const std::vector<double> a{2, 0}, b{4, 0}, opposed{-2, 0}, zero{0, 0};
    CHECK(slerp(a, b, 0.5) == std::vector<double>{3, 0});
    CHECK(slerp(a, opposed, 0.5) == std::vector<double>{0, 0});
    CHECK(slerp(a, zero, 0.25) == std::vector<double>{1.5, 0});
    CHECK(slerp({}, {}, 0.5).empty());
}

TEST_CASE("lerp") { CHECK(lerp(std::vector<double>{0, 8}, std::vector<double>{4, 0}, 0.25) == std::vector<double>{1, 6}); }

TEST_CASE("latents of different sizes are refused") {
    const std::vector<double> two{1, 2}, three{1, 2, 3};
    check_error(ExitCode::software, {"different sizes"}, [&] { slerp(two, three, 0.5); });
    check_error(ExitCode::software, {"different sizes"}, [&] { lerp(two, three, 0.5); });
}
