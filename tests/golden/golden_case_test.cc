#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <limits>

#include "tests/golden/golden_case.h"

using lcm::golden::compare;
using lcm::golden::Tolerance;

TEST_CASE("the comparison rules accept what lies within and refuse what lies beyond") {
    const at::Tensor want = at::tensor({1.0, 100.0});
    const Tolerance absolute_and_relative{.atol = 0.5, .rtol = 0.01};
    CHECK(compare(at::tensor({1.5, 101.4}), want, absolute_and_relative).problem.empty());
    CHECK_FALSE(compare(at::tensor({1.52, 100.0}), want, absolute_and_relative).problem.empty());
    CHECK_FALSE(compare(at::tensor({1.0, 101.6}), want, absolute_and_relative).problem.empty());
    CHECK_FALSE(compare(at::tensor({1.0}), want, absolute_and_relative).problem.empty());
    CHECK_FALSE(compare(at::full({2}, std::numeric_limits<double>::quiet_NaN()), want, Tolerance{.atol = 1e9}).problem.empty());
    CHECK(compare(at::tensor({9.0, 9.0}), want, Tolerance{.info = true}).problem.empty());

    const lcm::golden::Difference found = compare(at::tensor({1.0, 102.0}), want, absolute_and_relative);
    CHECK(found.largest_abs == 2.0);
    CHECK(found.largest_rel == 0.02);
}

TEST_CASE("shares of elements are counted") {
    const at::Tensor want = at::full({4}, 10, at::kByte), got = want.clone();
    got[0] += 1;
    CHECK(compare(got, want, Tolerance{.most = 1, .share = 0.25}).problem.empty());
    CHECK_FALSE(compare(got, want, Tolerance{.most = 1, .share = 0.2}).problem.empty());
    CHECK_FALSE(compare(got, want, Tolerance{.most = 0, .share = 1.0}).problem.empty());
    CHECK(compare(got, want, Tolerance{.atol = 2, .share = 0.25, .atol_most = 0.5}).problem.empty());
    CHECK_FALSE(compare(got, want, Tolerance{.atol = 2, .share = 0.2, .atol_most = 0.5}).problem.empty());
}
