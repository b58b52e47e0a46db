#include "lib/core/tensor/precision.h"

#include <doctest/doctest.h>

using namespace lcm;

TEST_CASE("a precision has one name, and a type") {
    for (const auto precision : {Precision::f32, Precision::bf16, Precision::int8}) CHECK((precision_named(name(precision)) == precision));
    CHECK(!precision_named("f16"));
    CHECK((type_of(Precision::f32) == at::kFloat));
    CHECK((type_of(Precision::bf16) == at::kBFloat16));
}
