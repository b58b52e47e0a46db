#include "lib/core/model/token_merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

using namespace lcm;

namespace {

/// Tokens [1,T,D] of these rows.
at::Tensor tokens(std::initializer_list<std::initializer_list<float>> rows) {
    std::vector<float> numbers;
    for (const auto& row : rows) numbers.insert(numbers.end(), row.begin(), row.end());
    return at::tensor(numbers).reshape({1, std::ssize(rows), -1});
}

}  // namespace

TEST_CASE("the nearest sources are merged into their destinations, as a mean, and get their rows back") {
    // 2x2 pixels: token 0 is the destination. By cosine 2 (parallel) is nearer than 3, and 1 (orthogonal) is farthest.
    const at::Tensor x = tokens({{2, 0}, {0, 5}, {4, 0}, {3, 1}});
    const TokenMerge one(x, {0.25, 2, 2});
    CHECK(at::equal(one.merge(x), tokens({{0, 5}, {3, 1}, {3, 0}})));
    CHECK(at::equal(one.spread(tokens({{1, 1}, {2, 2}, {3, 3}})), tokens({{3, 3}, {1, 1}, {3, 3}, {2, 2}})));
    const TokenMerge most(x, {0.75, 2, 2});
    CHECK(at::allclose(most.merge(x), tokens({{2.25, 1.5}})));
}

TEST_CASE("nothing merged is nothing changed") {
    const at::Tensor x = at::randn({2, 24, 8});
    const TokenMerge none(x, {0, 4, 6});
    CHECK(none.merge(x).sizes() == x.sizes());
    CHECK(at::equal(none.spread(none.merge(x)), x));
}

TEST_CASE("equal tokens survive any merging, also where cells are cut off") {
    for (const auto& [height, width] : {std::pair{4, 6}, std::pair{5, 7}, std::pair{1, 3}}) {
        const at::Tensor x = at::ones({2, height * width, 4}) * 0.5;
        for (const double ratio : {0.25, 0.5, 0.75}) {
            const TokenMerge merging(x, {ratio, height, width});
            const at::Tensor fewer = merging.merge(x);
            CHECK(fewer.size(1) <= x.size(1) - std::min<std::int64_t>(static_cast<std::int64_t>(ratio * height * width),
                                                                      x.size(1) - (height + 1) / 2 * ((width + 1) / 2)));
            CHECK(at::equal(merging.spread(fewer), x));
        }
    }
}

TEST_CASE("each picture of a batch is merged as it is alone") {
    const at::Tensor x = at::randn({3, 16, 8});
    const TokenMerge all(x, {0.5, 4, 4});
    for (std::int64_t i = 0; i < x.size(0); ++i) {
        const at::Tensor one = x.narrow(0, i, 1);
        const TokenMerge alone(one, {0.5, 4, 4});
        CHECK(at::equal(all.merge(x).narrow(0, i, 1), alone.merge(one)));
    }
}
