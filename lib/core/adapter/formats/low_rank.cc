#include "lib/core/adapter/formats/low_rank.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/matmul.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lcm {
namespace {

class LowRankDelta : public WeightDelta {
public:
    LowRankDelta(at::Tensor up, at::Tensor down, double scale) : up_(std::move(up)), down_(std::move(down)), scale_(scale) {}

    std::vector<std::int64_t> shape() const override {
        auto shape = down_.sizes().vec();
        shape[0] = up_.size(0);
        return shape;
    }
    std::int64_t rank() const override { return down_.size(0); }
    at::Tensor compute(double weight) const override {
        const nn::LowRank both = *factors(weight);
        return at::matmul(both.up.flatten(1), both.down.flatten(1)).view(shape());
    }
    std::optional<nn::LowRank> factors(double weight) const override {
        return nn::LowRank{down_.to(at::kDouble), up_.to(at::kDouble) * (scale_ * weight)};
    }

private:
    at::Tensor up_, down_;
    double scale_;
};

/// LoCon with a Tucker core: W[p,c,..] = sum over i,j of mid[i,j,..] up[p,i] down[j,c].
class TuckerDelta : public WeightDelta {
public:
    TuckerDelta(at::Tensor up, at::Tensor mid, at::Tensor down, double scale)
        : up_(std::move(up)), mid_(std::move(mid)), down_(std::move(down)), scale_(scale) {}

    std::vector<std::int64_t> shape() const override { return {up_.size(0), down_.size(1), mid_.size(2), mid_.size(3)}; }
    std::int64_t rank() const override { return down_.size(0); }
    at::Tensor compute(double weight) const override {
        const at::Tensor up = up_.to(at::kDouble).flatten(1), mid = mid_.to(at::kDouble), down = down_.to(at::kDouble).flatten(1);
        return at::einsum("ijkl,pi,jc->pckl", {mid, up * (scale_ * weight), down});
    }

private:
    at::Tensor up_, mid_, down_;
    double scale_;
};

void expect_unit_kernel(const ModuleParts& parts, std::string_view part, const at::Tensor& factor) {
    if (factor.dim() == 2 || factor.size(2) == 1) return;
    throw parts.fault(part, fmt::format("its shape is [{}], expected a kernel of 1x1", fmt::join(factor.sizes(), ",")));
}

}  // namespace

std::unique_ptr<WeightDelta> make_low_rank(const ModuleParts& parts) {
    const at::Tensor up = parts.take_matrix(part::up), down = parts.take_matrix(part::down);
    expect_unit_kernel(parts, part::up, up);
    if (up.size(1) != down.size(0)) {
        throw parts.fault(part::up, fmt::format("its shape [{}] does not fit [{}] of the other factor: the ranks {} and {} differ",
                                                fmt::join(up.sizes(), ","), fmt::join(down.sizes(), ","), up.size(1), down.size(0)));
    }
    const double scale = parts.scale(down.size(0));
    if (!parts.has(part::mid)) return std::make_unique<LowRankDelta>(up, down, scale);
    expect_unit_kernel(parts, part::down, down);
    const at::Tensor mid = parts.take_matrix(part::mid);
    if (mid.dim() != 4 || mid.size(0) != up.size(1) || mid.size(1) != down.size(0)) {
        throw parts.fault(part::mid, fmt::format("its shape is [{}], expected [{},{},k,k] between the factors", fmt::join(mid.sizes(), ","),
                                                 up.size(1), down.size(0)));
    }
    return std::make_unique<TuckerDelta>(up, mid, down, scale);
}

}  // namespace lcm
