#include "lib/core/nn/attention_kernel.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

#include "lib/core/tensor/instruction_set.h"
#include "lib/core/tensor/threads.h"

using namespace lcm::nn;

namespace {

struct Sizes {
    std::int64_t pictures, queries, keys, heads, width;
};

at::Tensor tokens(at::ScalarType type, std::int64_t pictures, std::int64_t count, std::int64_t width, double scale = 1) {
    return at::randn({pictures, count, width}).mul(scale).to(type);
}

at::Tensor by_head(const at::Tensor& x, std::int64_t heads) {
    return x.to(at::kDouble).view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

/// The formula in f64.
at::Tensor exact(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads) {
    const double width = static_cast<double>(q.size(2) / heads);
    const at::Tensor scores = at::matmul(by_head(q, heads), by_head(k, heads).transpose(2, 3)) / std::sqrt(width);
    return at::matmul(at::softmax(scores, -1), by_head(v, heads)).transpose(1, 2).reshape(q.sizes());
}

/// bf16: weights and results are rounded to 8 binary digits, at most 2^-9 of each weight and of the result, and a mean of values has no
/// larger error than its largest value. f32: what scores of thousands lose, or 1e-5.
void check(const at::Tensor& found, const at::Tensor& expected, const at::Tensor& v, double f32_error = 1e-5) {
    const double largest = v.to(at::kDouble).abs().max().item<double>();
    const double error = v.scalar_type() == at::kFloat ? f32_error : 2.5 / 512;
    CHECK((found.to(at::kDouble) - expected).abs().max().item<double>() < error * largest);
}

/// Those that a kernel of ours attends in on this CPU.
std::vector<at::ScalarType> types() {
    std::vector<at::ScalarType> result{at::kFloat};
    if (lcm::instruction_set() >= lcm::InstructionSet::avx512_bf16) result.push_back(at::kBFloat16);
    return result;
}

}  // namespace

TEST_CASE("attention is the formula, for any number of queries and keys and any head size") {
    const at::NoGradGuard no_grad;
    for (const at::ScalarType type : types())
        for (const Sizes& size : {Sizes{1, 1, 1, 1, 2}, Sizes{2, 5, 77, 3, 8}, Sizes{1, 64, 130, 2, 40}, Sizes{1, 33, 31, 2, 64},
                                  Sizes{2, 200, 300, 2, 80}, Sizes{1, 70, 129, 1, 160}, Sizes{1, 40, 96, 1, 512},
                                  Sizes{1, 300, 16, 8, 30}}) {
            CAPTURE(type);
            CAPTURE(size.queries);
            CAPTURE(size.width);
            const at::Tensor q = tokens(type, size.pictures, size.queries, size.heads * size.width);
            const at::Tensor k = tokens(type, size.pictures, size.keys, size.heads * size.width);
            const at::Tensor v = tokens(type, size.pictures, size.keys, size.heads * size.width);
            REQUIRE(takes_attention_kernel(q, k, v, size.heads));
            check(attention_kernel(q, k, v, size.heads), exact(q, k, v, size.heads), v);
        }
}

TEST_CASE("attention takes heads of odd widths in f32") {
    const at::NoGradGuard no_grad;
    const at::Tensor q = tokens(at::kFloat, 1, 20, 27), k = tokens(at::kFloat, 1, 35, 27), v = tokens(at::kFloat, 1, 35, 27);
    REQUIRE(takes_attention_kernel(q, k, v, 3));
    check(attention_kernel(q, k, v, 3), exact(q, k, v, 3), v);
}

TEST_CASE("attention holds for scores far from zero, and keeps what is not a number") {
    const at::NoGradGuard no_grad;
    for (const at::ScalarType type : types()) {
        CAPTURE(type);
        const at::Tensor k = tokens(type, 1, 300, 40, 20), v = tokens(type, 1, 300, 40);
        at::Tensor q = tokens(type, 1, 64, 40, 20);
        check(attention_kernel(q, k, v, 1), exact(q, k, v, 1), v, 1e-3);
        // All scores near -1000 and growing to the last key: every block finds a larger one, and padding must not count.
        const at::Tensor same = at::full({1, 64, 40}, 5.0).to(type);
        const at::Tensor falling = at::full({1, 1, 40}, -32.0).expand({1, 300, 40}).to(type).contiguous();
        for (std::int64_t key = 0; key < 300; ++key) falling.select(1, key).mul_(1 - 0.001 * static_cast<double>(key));
        check(attention_kernel(same, falling, v, 1), exact(same, falling, v, 1), v, 1e-3);
        // Exponents from -57 to 57, nearly as far as they may be for a maximum not to be looked for.
        const at::Tensor near = at::full({1, 64, 40}, 2.5).to(type);
        const at::Tensor both_ways = at::full({1, 1, 40}, 2.5).expand({1, 300, 40}).to(type).contiguous();
        for (std::int64_t key = 0; key < 300; ++key) both_ways.select(1, key).mul_(1 - 0.005 * static_cast<double>(key));
        check(attention_kernel(near, both_ways, v, 1), exact(near, both_ways, v, 1), v, 1e-4);
        for (const auto& [queries, keys] : {std::pair{q, k}, std::pair{near.clone(), both_ways}}) {
            queries.select(1, 7).fill_(NAN);
            const at::Tensor found = attention_kernel(queries, keys, v, 1);
            CHECK(at::isnan(found.select(1, 7)).all().item<bool>());
            CHECK(!at::isnan(found.select(1, 8)).any().item<bool>());
        }
        both_ways.select(1, 3).select(1, 5).fill_(NAN);
        CHECK(at::isnan(attention_kernel(near, both_ways, v, 1)).all().item<bool>());
    }
}

/// Values that pick one key each show the weights themselves. Rounding to bf16 changes a number by 0.00166 of itself in the mean. The
/// weight and the result are rounded, which is 0.0024 together; where scores lie far apart, so is the one weight of which the sum is made:
/// 0.0029. Whole numbers make the bounded weights 3 % less exact.
TEST_CASE("each weight of attention is a power of its score within rounding") {
    const at::NoGradGuard no_grad;
    const std::int64_t keys = 64;
    const at::Tensor pick = at::eye(keys).unsqueeze(0);
    for (const at::ScalarType type : types())
        // Bounded exponents, and such as are not.
        for (const auto& [far, mean_error] : {std::pair{1.0, 0.0026}, std::pair{4.0, 0.003}}) {
            CAPTURE(type);
            CAPTURE(far);
            const at::Tensor q = tokens(type, 1, 512, keys, far), k = tokens(type, 1, keys, keys, far);
            const at::Tensor v = pick.to(type);
            const at::Tensor expected = exact(q, k, v, 1);
            const at::Tensor error = attention_kernel(q, k, v, 1).to(at::kDouble) / expected - 1;
            const at::Tensor told = error.masked_select(expected > 1e-30);
            const bool is_f32 = type == at::kFloat;
            CHECK(told.square().mean().sqrt().item<double>() < (is_f32 ? 1e-5 : mean_error));
            CHECK(told.mean().abs().item<double>() < (is_f32 ? 1e-5 : 0.0005));
            CHECK(told.abs().max().item<double>() < (is_f32 ? 1e-4 : 0.012));
        }
}

TEST_CASE("attention gives the same bytes with any number of threads, and from views") {
    const at::NoGradGuard no_grad;
    for (const at::ScalarType type : types()) {
        const at::Tensor both = tokens(type, 2, 300, 2 * 80), q = both.narrow(2, 0, 80), k = both.narrow(2, 80, 80);
        const at::Tensor v = tokens(type, 2, 300, 80);
        lcm::set_threads(1);
        const at::Tensor alone = attention_kernel(q, k, v, 2);
        CHECK(at::equal(attention_kernel(q.contiguous(), k.contiguous(), v, 2), alone));
        for (const int threads : {2, 3, 7}) {
            lcm::set_threads(threads);
            CHECK(at::equal(attention_kernel(q, k, v, 2), alone));
        }
    }
}
