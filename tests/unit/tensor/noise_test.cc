#include "lib/core/tensor/noise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "lib/base/error.h"

using namespace lcm;

namespace {

/// A copy of `state` with the bytes at `offset` replaced by `value`.
template <typename T>
TensorBytes forged(const TensorBytes& state, std::size_t offset, T value) {
    Bytes bytes(state.data.begin(), state.data.end());
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    return make_tensor(state.dtype, state.shape, std::move(bytes));
}

void check_refused(const TensorBytes& state) {
    try {
        NoiseGenerator::restore(state, 0);
        FAIL("restored");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::data);
        CHECK(error.where() == "rng.state");
    }
}

}  // namespace

TEST_CASE("noise equals randn with a seeded generator, bit for bit") {
    for (const std::int64_t count : {1, 2, 7, 15, 16, 17, 31, 32, 33, 624, 1000, 4096}) {
        for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
            at::Generator generator = at::detail::createCPUGenerator(42);
            NoiseGenerator noise(42);
            for (int draw = 0; draw < 3; ++draw) {
                const at::Tensor want = at::randn({count}, generator, at::TensorOptions().dtype(type));
                CAPTURE(count);
                CHECK(at::equal(noise.normal({count}, type), want));
            }
            CHECK(noise.draws() == 3);
        }
    }
}

TEST_CASE("only the low 32 bits of the seed count, and all 64 are kept") {
    NoiseGenerator low(7), high(7 + (std::uint64_t{1} << 32));
    CHECK(at::equal(low.normal({20}), high.normal({20})));
    CHECK(high.seed() == 7 + (std::uint64_t{1} << 32));
}

TEST_CASE("a restored generator goes on where the saved one stood") {
    for (const std::int64_t count : {1, 3, 16, 17, 624, 625}) {  // odd short draws keep a second normal
        NoiseGenerator noise(5);
        noise.normal({count});
        const TensorBytes state = noise.state();
        CHECK(state.dtype == Dtype::U8);
        CHECK(state.shape == std::vector<std::int64_t>{5056});
        NoiseGenerator restored = NoiseGenerator::restore(state, noise.draws());
        CHECK(restored.draws() == 1);
        CHECK(restored.seed() == 5);
        for (const std::int64_t next : {1, 1, 5, 64}) {
            CAPTURE(count);
            CHECK(at::equal(restored.normal({next}), noise.normal({next})));
        }
        CHECK(restored.draws() == noise.draws());
    }
}

TEST_CASE("a generator that was never used is restored too") {
    NoiseGenerator noise(9);
    NoiseGenerator restored = NoiseGenerator::restore(noise.state(), 0);
    CHECK(at::equal(restored.normal({40}), noise.normal({40})));
}

TEST_CASE("forged generator states are refused") {
    NoiseGenerator noise(1);
    noise.normal({5});
    const TensorBytes state = noise.state();
    NoiseGenerator::restore(forged(state, 5048, std::numeric_limits<float>::quiet_NaN()), 0);  // not flagged as kept: does not count

    check_refused(make_tensor(Dtype::U8, {5055}, Bytes(5055)));
    check_refused(make_tensor(Dtype::U8, {1, 5056}, Bytes(5056)));
    check_refused(make_tensor(Dtype::I8, {5056}, Bytes(5056)));
    check_refused(make_tensor(Dtype::U8, {5056}, Bytes(5056)));
    for (const std::int32_t left : {-1, 0, 625, 624}) check_refused(forged(state, 8, left));
    check_refused(forged(state, 12, std::int32_t{0}));
    for (const std::uint64_t next : {std::uint64_t{624}, std::uint64_t{625}, std::uint64_t{1} << 40, UINT64_MAX})
        check_refused(forged(state, 16, next));
    check_refused(forged(state, 24 + 8 * 100, std::uint64_t{1} << 32));
    check_refused(forged(state, 5024, std::numeric_limits<double>::infinity()));
    check_refused(forged(state, 5040, std::int32_t{2}));
    check_refused(forged(state, 5052, std::uint8_t{2}));
}

TEST_CASE("philox numbers are those of a CUDA generator") {
    // Published values of seed 0, first and second call (lcm-facts, section 6).
    NoiseGenerator noise(NoiseSource{0, Rng::philox});
    const float first[] = {-0.92466259F, -0.42534415F, -2.6438457F, 0.14518388F};
    const float second[] = {0.18082581F, -0.55226266F, 0.9238134F, -0.7349703F};
    for (const auto& want : {first, second}) {
        const at::Tensor got = noise.normal({4});
        for (int i = 0; i < 4; ++i) CHECK(got[i].item<float>() == doctest::Approx(want[i]).epsilon(1e-6));
    }
    CHECK(noise.draws() == 2);
    NoiseGenerator resumed = NoiseGenerator::restore(NoiseSource{0, Rng::philox}, 2);
    CHECK(at::equal(resumed.normal({1, 2, 3}), noise.normal({1, 2, 3})));
    NoiseGenerator high(NoiseSource{std::uint64_t{1} << 32, Rng::philox});  // all 64 bits of the seed count
    CHECK_FALSE(at::equal(high.normal({4}), NoiseGenerator(NoiseSource{0, Rng::philox}).normal({4})));
}

TEST_CASE("pictures that share a generator get the rows of one draw") {
    for (const Rng rng : {Rng::torch_cpu, Rng::philox}) {
        NoiseGenerator whole(NoiseSource{5, rng});
        const at::Tensor first = whole.normal({3, 4, 5, 9}), second = whole.normal({3, 4, 5, 9});
        for (std::int64_t row = 0; row < 3; ++row) {
            NoiseGenerator noise(NoiseSource{5, rng, 3, row});
            CHECK(at::equal(noise.normal({1, 4, 5, 9}), first.narrow(0, row, 1)));
            CHECK(at::equal(noise.normal({1, 4, 5, 9}), second.narrow(0, row, 1)));
            CHECK(noise.draws() == 2);
        }
    }
}
