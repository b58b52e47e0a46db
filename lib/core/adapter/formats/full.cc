// Changes that are stored whole, as LyCORIS ("full") and extraction scripts write them: of weights, biases and norms.

#include <ATen/TensorOperators.h>

#include "lib/core/adapter/formats/formats.h"

namespace lcm {
namespace {

class FullDelta : public WeightDelta {
public:
    explicit FullDelta(at::Tensor change) : change_(std::move(change)) {}

    std::vector<std::int64_t> shape() const override { return change_.sizes().vec(); }
    at::Tensor compute(double weight) const override { return weight == 1 ? change_.to(at::kDouble) : change_.to(at::kDouble) * weight; }

private:
    at::Tensor change_;
};

std::unique_ptr<WeightDelta> make(const ModuleParts& parts) { return std::make_unique<FullDelta>(parts.take(part::whole)); }

}  // namespace

DeltaFormat full_format() {
    return {.name = "full difference",
            .leaves = {{".diff", part::whole},
                       {".w_norm", part::whole},
                       {".diff_b", part::whole, "bias"},
                       {".b_norm", part::whole, "bias"},
                       {".alpha", part::alpha},
                       {".dora_scale", part::magnitude}},
            .make = make};
}

}  // namespace lcm
