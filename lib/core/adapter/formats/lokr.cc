// LoKr of LyCORIS: the Kronecker product of w1 [fo,fi] and w2 [out/fo,in/fi,k,k], each whole or factored (`product.h`). The factor is
// alpha/rank with the rank of w1 where that is factored, else of w2; 1 where both are whole. It counts once.

#include <ATen/TensorOperators.h>
#include <ATen/ops/kron.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lib/core/adapter/formats/formats.h"
#include "lib/core/adapter/formats/product.h"

namespace lcm {
namespace {

constexpr std::string_view whole_first = "w1", whole_second = "w2";
constexpr FactorNames first_names{"w1_a", "w1_b", "t1"}, second_names{"w2_a", "w2_b", "t2"};

/// One side of the Kronecker product: whole, or factored.
struct Side {
    at::Tensor whole;
    FactoredMatrix factored;

    std::int64_t rank() const { return whole.defined() ? 0 : factored.rank(); }
    std::vector<std::int64_t> shape() const { return whole.defined() ? whole.sizes().vec() : factored.shape(); }
    at::Tensor compute() const { return whole.defined() ? whole.to(at::kDouble) : factored.compute(); }
};

class KroneckerDelta : public WeightDelta {
public:
    KroneckerDelta(Side first, Side second, double scale) : first_(std::move(first)), second_(std::move(second)), scale_(scale) {}

    std::vector<std::int64_t> shape() const override {
        const auto small = first_.shape();
        auto shape = second_.shape();
        shape[0] *= small[0];
        shape[1] *= small[1];
        return shape;
    }
    std::int64_t rank() const override { return first_.rank() > 0 ? first_.rank() : second_.rank(); }
    at::Tensor compute(double weight) const override {
        // A kernel's positions follow its input channel in memory, so that a flat w2 gives the flat convolution.
        return at::kron(first_.compute() * (scale_ * weight), second_.compute().flatten(1)).view(shape());
    }

private:
    Side first_, second_;
    double scale_;
};

Side make_side(const ModuleParts& parts, std::string_view whole, const FactorNames& names) {
    if (!parts.has(whole)) return {{}, make_factored(parts, names)};
    for (const std::string_view other : {names.a, names.b, names.core})
        if (parts.has(other)) throw parts.fault(other, "stands beside the whole matrix that it is a factor of");
    return {parts.take_matrix(whole), {}};
}

std::unique_ptr<WeightDelta> make(const ModuleParts& parts) {
    Side first = make_side(parts, whole_first, first_names), second = make_side(parts, whole_second, second_names);
    if (first.shape().size() != 2)
        throw parts.fault(whole_first, fmt::format("its shape is [{}], expected a matrix", fmt::join(first.shape(), ",")));
    const std::int64_t rank = first.rank() > 0 ? first.rank() : second.rank();
    const double scale = rank > 0 ? parts.scale(rank) : 1;
    return std::make_unique<KroneckerDelta>(std::move(first), std::move(second), scale);
}

}  // namespace

DeltaFormat lokr_format() {
    return {.name = "LoKr",
            .leaves = {{".lokr_w1", whole_first},
                       {".lokr_w1_a", first_names.a},
                       {".lokr_w1_b", first_names.b},
                       {".lokr_w2", whole_second},
                       {".lokr_w2_a", second_names.a},
                       {".lokr_w2_b", second_names.b},
                       {".lokr_t2", second_names.core},
                       {".alpha", part::alpha},
                       {".dora_scale", part::magnitude}},
            .make = make};
}

}  // namespace lcm
