#include "lib/core/model/token_merge.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <tuple>
#include <vector>

namespace lcm {
namespace {

constexpr std::int64_t cell = 2;

/// An index [B,M] for whole rows of `width` numbers.
at::Tensor of_rows(const at::Tensor& index, std::int64_t width) {
    return index.unsqueeze(-1).expand({index.size(0), index.size(1), width});
}

at::Tensor unit(const at::Tensor& rows) { return rows / rows.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12); }

}  // namespace

TokenMerge::TokenMerge(const at::Tensor& tokens, const TokenMergeShape& shape) {
    std::vector<std::int64_t> sources, destinations;
    for (std::int64_t y = 0; y < shape.height; ++y)
        for (std::int64_t x = 0; x < shape.width; ++x)
            (y % cell == 0 && x % cell == 0 ? destinations : sources).push_back(y * shape.width + x);
    sources_ = at::tensor(sources, at::kLong).to(tokens.device());
    destinations_ = at::tensor(destinations, at::kLong).to(tokens.device());
    const auto wanted = static_cast<std::int64_t>(shape.ratio * static_cast<double>(tokens.size(1)));
    const std::int64_t count = std::min<std::int64_t>(wanted, std::ssize(sources));

    // In f32: near ties must not depend on the rounding of the working type.
    const at::Tensor units = unit(tokens.to(at::kFloat));
    const at::Tensor cosines = at::matmul(units.index_select(1, sources_), units.index_select(1, destinations_).transpose(1, 2));
    const auto [best, nearest] = cosines.max(-1);
    const at::Tensor order = std::get<1>(at::sort(best, /*stable=*/true, /*dim=*/-1, /*descending=*/true));
    merged_ = order.narrow(1, 0, count);
    left_ = std::get<0>(order.narrow(1, count, std::ssize(sources) - count).sort(-1));  // in the order of the picture
    into_ = nearest.gather(1, merged_);
}

at::Tensor TokenMerge::merge(const at::Tensor& tokens) const {
    const std::int64_t width = tokens.size(2);
    const at::Tensor sources = tokens.index_select(1, sources_);
    // Sums and their counts in f32; the sums add up in the order of `merged_`.
    at::Tensor sums = tokens.index_select(1, destinations_).to(at::kFloat);
    at::Tensor counts = at::ones({tokens.size(0), sums.size(1), 1}, sums.options());
    sums = sums.scatter_add(1, of_rows(into_, width), sources.gather(1, of_rows(merged_, width)).to(at::kFloat));
    counts = counts.scatter_add(1, into_.unsqueeze(-1), at::ones({into_.size(0), into_.size(1), 1}, sums.options()));
    return at::cat({sources.gather(1, of_rows(left_, width)), (sums / counts).to(tokens.scalar_type())}, 1);
}

at::Tensor TokenMerge::spread(const at::Tensor& rows) const {
    const std::int64_t batch = rows.size(0), width = rows.size(2), left = left_.size(1);
    const at::Tensor destinations = rows.narrow(1, left, destinations_.size(0));
    at::Tensor sources = at::empty({batch, sources_.size(0), width}, rows.options());
    sources.scatter_(1, of_rows(left_, width), rows.narrow(1, 0, left));
    sources.scatter_(1, of_rows(merged_, width), destinations.gather(1, of_rows(into_, width)));
    at::Tensor tokens = at::empty({batch, sources_.size(0) + destinations_.size(0), width}, rows.options());
    tokens.index_copy_(1, sources_, sources);
    tokens.index_copy_(1, destinations_, destinations);
    return tokens;
}

}  // namespace lcm
