#include "lib/core/tensor/convert.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

at::Tensor row(const std::vector<float>& numbers) { return at::tensor(at::ArrayRef<float>(numbers)); }

/// Four f32 numbers, `shift` bytes off their alignment.
TensorBytes four_numbers(std::size_t shift) {
    const float numbers[] = {1, -2, 3.5f, 0.25f};
    auto bytes = std::make_shared<Bytes>(shift + sizeof numbers);
    std::memcpy(bytes->data() + shift, numbers, sizeof numbers);
    return {Dtype::F32, {2, 2}, std::span(*bytes).subspan(shift), bytes};
}

}  // namespace

TEST_CASE("aligned bytes become a tensor without a copy, and live as long as it") {
    TensorBytes bytes = four_numbers(0);
    const std::weak_ptr<const void> owner = bytes.owner;
    at::Tensor tensor = to_torch(bytes);
    CHECK(tensor.const_data_ptr() == static_cast<const void*>(bytes.data.data()));
    CHECK(at::equal(tensor, row({1.0f, -2.0f, 3.5f, 0.25f}).reshape({2, 2})));
    bytes = {};
    CHECK_FALSE(owner.expired());
    tensor.reset();
    CHECK(owner.expired());
}

TEST_CASE("misaligned bytes are copied") {
    const TensorBytes bytes = four_numbers(1);
    const at::Tensor tensor = to_torch(bytes);
    CHECK(tensor.const_data_ptr() != static_cast<const void*>(bytes.data.data()));
    CHECK(at::equal(tensor, to_torch(four_numbers(0))));
}

TEST_CASE("an empty tensor keeps its shape") {
    const at::Tensor tensor = to_torch({Dtype::F16, {0, 3}, {}, nullptr});
    CHECK((tensor.sizes() == at::IntArrayRef({0, 3})));
    CHECK((tensor.scalar_type() == at::kHalf));
}

TEST_CASE("every type that libtorch has goes there and back") {
    for (const Dtype dtype : {Dtype::BOOL, Dtype::U8, Dtype::I8, Dtype::I16, Dtype::U16, Dtype::F16, Dtype::BF16, Dtype::I32, Dtype::U32,
                              Dtype::F32, Dtype::I64, Dtype::U64, Dtype::F64, Dtype::C64, Dtype::F8_E4M3, Dtype::F8_E5M2, Dtype::F8_E8M0,
                              Dtype::F8_E4M3FNUZ, Dtype::F8_E5M2FNUZ}) {
        INFO("dtype ", std::string(name(dtype)));
        CHECK((dtype_of(scalar_type(dtype)) == dtype));
        CHECK(c10::elementSize(scalar_type(dtype)) * 8 == bits(dtype));
    }
    check_error(ExitCode::data, {"F6_E2M3"}, [] { scalar_type(Dtype::F6_E2M3); });
    check_error(ExitCode::software, {"ComplexDouble"}, [] { dtype_of(at::kComplexDouble); });
}

TEST_CASE("a tensor becomes row-major bytes of its own type") {
    const at::Tensor tensor = at::arange(6, at::kInt).reshape({2, 3}).t();  // not row-major in memory
    const TensorBytes bytes = from_torch(tensor);
    CHECK((bytes.dtype == Dtype::I32));
    CHECK(bytes.shape == std::vector<std::int64_t>{3, 2});
    const std::int32_t expected[] = {0, 3, 1, 4, 2, 5};
    REQUIRE(bytes.data.size() == sizeof expected);
    CHECK(std::memcmp(bytes.data.data(), expected, sizeof expected) == 0);
}

TEST_CASE("shapes are compared, with -1 for any positive size") {
    const at::Tensor tensor = at::zeros({2, 3});
    expect_shape(tensor, {2, 3}, "sample");
    expect_shape(tensor, {-1, 3}, "sample");
    check_error(ExitCode::data, {"sample is [2,3], expected [2,4]"}, [&] { expect_shape(tensor, {2, 4}, "sample"); });
    check_error(ExitCode::data, {"sample is [2,3], expected [*,3,1]"}, [&] { expect_shape(tensor, {-1, 3, 1}, "sample"); });
    check_error(ExitCode::data, {"sample is [0,3], expected [*,3]"}, [] { expect_shape(at::zeros({0, 3}), {-1, 3}, "sample"); });
    check_error(ExitCode::data, {"sample is absent"}, [] { expect_shape(at::Tensor(), {1}, "sample"); });
}

TEST_CASE("the first number that is not finite is named by its index") {
    at::Tensor tensor = at::zeros({2, 3, 4});
    expect_finite(tensor, "latent");
    tensor[1][2][3] = not_a_number;
    check_error(ExitCode::data, {"latent is nan at [1,2,3]"}, [&] { expect_finite(tensor, "latent"); });
    tensor[0][2][1] = -infinity;
    check_error(ExitCode::data, {"latent is -inf at [0,2,1]"}, [&] { expect_finite(tensor.to(at::kBFloat16), "latent"); });
    check_error(ExitCode::data, {"latent is inf at []"}, [&] { expect_finite(row({infinity}).reshape({}), "latent"); });
}

TEST_CASE("numbers too large for a narrower type are refused, the largest passes") {
    expect_fits(row({65504.0f, -65504.0f}), at::kHalf, "weight");
    check_error(ExitCode::data, {"weight is 65505 at [1]", "F16 holds up to 65504"},
                [] { expect_fits(row({1.0f, 65505.0f}), at::kHalf, "weight"); });
    // 65536 is the bf16 number nearest to 65504: the comparison must not happen in bf16.
    check_error(ExitCode::data, {"weight is -65536 at [0]"}, [] { expect_fits(row({-65536.0f}).to(at::kBFloat16), at::kHalf, "weight"); });
    check_error(ExitCode::data, {"BF16 holds up to 3.38953e+38"},
                [] { expect_fits(row({std::numeric_limits<float>::max()}), at::kBFloat16, "weight"); });
    expect_fits(row({std::numeric_limits<float>::max()}), at::kFloat, "weight");
    check_error(ExitCode::data, {"weight is nan at [1]"}, [] { expect_fits(row({1.0f, not_a_number}), at::kFloat, "weight"); });
}
