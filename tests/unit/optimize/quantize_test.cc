#include "lib/optimize/quantize.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include "lib/optimize/activation_range.h"
#include "lib/optimize/convert_config.h"
#include "lib/optimize/quantize_weight.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

TEST_CASE("each row of a weight has its largest number on step 127") {
    const at::Tensor weight = at::tensor({0.5F, -1.0F, 0.25F, 254.0F, 3.0F, -1.0F, 0.0F, 0.0F, 0.0F}).view({3, 3});
    const at::Tensor scale = row_scales(weight);
    CHECK(at::equal(scale, at::tensor({1.0F / 127, 2.0F, 1.0F})));
    // 63.5 and 31.75 steps of the first row; 1.5 and -0.5 of the second go to the even neighbour.
    CHECK(at::equal(weight_steps(weight, scale), at::tensor({64, -127, 32, 127, 2, 0, 0, 0, 0}).to(at::kChar).view({3, 3})));
}

TEST_CASE("a weight in steps is at most half a step away, as a matrix and as a kernel") {
    for (const auto& shape : {std::vector<std::int64_t>{9, 70}, std::vector<std::int64_t>{9, 7, 3, 3}}) {
        const at::Tensor weight = at::randn(shape), scale = row_scales(weight), steps = weight_steps(weight, scale);
        CHECK(steps.sizes() == shape);
        const at::Tensor back = steps.to(at::kFloat).flatten(1) * scale.unsqueeze(1);
        CHECK(((back - weight.flatten(1)).abs() <= scale.unsqueeze(1) * 0.5001).all().item<bool>());
    }
}

TEST_CASE("a range has 256 steps, and 0 on one of them") {
    const nn::StepRange both = steps_between(-1, 4), up = steps_between(0, 2.55F), none = steps_between(0, 0);
    CHECK(both.scale == doctest::Approx(5.0 / 255));
    CHECK(both.zero_point == 51);
    CHECK(up.scale == doctest::Approx(0.01));
    CHECK(up.zero_point == 0);
    CHECK(none.scale == 1);
    CHECK(none.zero_point == 0);
}

TEST_CASE("steps reach the extremes of all calls, and 0") {
    ActivationRange range;
    range.add(at::tensor({0.5F, 3.0F}));
    CHECK(range.steps().scale == doctest::Approx(3.0 / 255));
    CHECK(range.steps().zero_point == 0);
    range.add(at::tensor({-1.0F, 2.0F}).to(at::kBFloat16));
    CHECK(range.steps().scale == doctest::Approx(4.0 / 255));
    CHECK(range.steps().zero_point == 64);
}

TEST_CASE("a configuration gets a member in front") {
    CHECK(with_member("{\n  \"a\": 1\n}", "k", "{\"m\":2}") == "{\n  \"k\": {\"m\":2},\n  \"a\": 1\n}");
    CHECK(with_member(" { } ", "k", "3") == " {\n  \"k\": 3 } ");
    check_error(ExitCode::data, {"no JSON object"}, [] { with_member("[]", "k", "3"); });
}
