// LoHa of LyCORIS: the elementwise product of two factored matrices (`product.h`) times alpha/rank.

#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/core/adapter/formats/formats.h"
#include "lib/core/adapter/formats/product.h"

namespace lcm {
namespace {

constexpr FactorNames first_names{"w1_a", "w1_b", "t1"}, second_names{"w2_a", "w2_b", "t2"};

class HadamardDelta : public WeightDelta {
public:
    HadamardDelta(FactoredMatrix first, FactoredMatrix second, double scale)
        : first_(std::move(first)), second_(std::move(second)), scale_(scale) {}

    std::vector<std::int64_t> shape() const override { return first_.shape(); }
    std::int64_t rank() const override { return first_.rank(); }
    at::Tensor compute(double weight) const override { return first_.compute().mul_(second_.compute()).mul_(scale_ * weight); }

private:
    FactoredMatrix first_, second_;
    double scale_;
};

std::unique_ptr<WeightDelta> make(const ModuleParts& parts) {
    FactoredMatrix first = make_factored(parts, first_names), second = make_factored(parts, second_names);
    if (first.shape() != second.shape())
        throw parts.fault(second_names.a, fmt::format("its half of the product is [{}], the other [{}]", fmt::join(second.shape(), ","),
                                                      fmt::join(first.shape(), ",")));
    const double scale = parts.scale(first.rank());
    return std::make_unique<HadamardDelta>(std::move(first), std::move(second), scale);
}

}  // namespace

DeltaFormat loha_format() {
    return {.name = "LoHa",
            .leaves = {{".hada_w1_a", first_names.a},
                       {".hada_w1_b", first_names.b},
                       {".hada_w2_a", second_names.a},
                       {".hada_w2_b", second_names.b},
                       {".hada_t1", first_names.core},
                       {".hada_t2", second_names.core},
                       {".alpha", part::alpha},
                       {".dora_scale", part::magnitude}},
            .make = make};
}

}  // namespace lcm
