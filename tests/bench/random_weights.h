#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/util/accumulate.h>

#include <cmath>
#include <string_view>

#include "lib/core/nn/quantized.h"
#include "lib/core/nn/weight_source.h"
#include "lib/optimize/quantize_rule.h"

namespace lcm::bench {

/// Weights of the right size for their layers, so that numbers stay finite; `path` is plain, packed or int8, or cuda as plain.
class RandomWeights : public nn::WeightSource {
public:
    RandomWeights(at::ScalarType type, std::string_view path)
        : type_(type), packed_(path == "packed" || path == "int8"), int8_(path == "int8") {}
    at::Tensor take(const std::string& /*name*/, at::IntArrayRef shape) override {
        const at::Tensor drawn = at::randn(shape, type_);
        return shape.size() == 1 ? drawn.mul_(0.01).add_(1) : drawn.mul_(1 / root_of_inputs(shape));
    }
    bool has(const std::string& /*name*/) const override { return true; }
    std::optional<at::ScalarType> packs() const override { return packed_ ? std::optional(type_) : std::nullopt; }
    /// In int8 what `lcm-optimize quantize` finds worth it in this shape.
    std::shared_ptr<const nn::Product> product(const std::string& module, const nn::ProductShape& shape) override {
        const bool once = module.starts_with("time_embedding") || module.ends_with("time_emb_proj");
        const bool folded = module.find("upsample") != module.npos;
        const bool stays = once || folded || !reason_to_stay(shape, usual_rows, /*every_layer=*/false).empty();
        if (!int8_ || stays) return nullptr;
        const auto sizes = shape.weight();
        const nn::QuantizedWeight weight{at::randint(-127, 128, sizes, at::kChar),
                                         at::full({shape.out}, 1.0 / (73 * root_of_inputs(sizes)), at::kFloat),
                                         {8.0F / 255, 128}};
        return nn::quantized_product(shape, weight, shape.bias ? at::full({shape.out}, 0.01) : at::Tensor(), type_);
    }

private:
    static constexpr std::int64_t usual_rows = 64;  // pixels of the smallest pictures

    static double root_of_inputs(at::IntArrayRef weight) { return std::sqrt(static_cast<double>(c10::multiply_integers(weight.slice(1)))); }

    at::ScalarType type_;
    bool packed_, int8_;
};

}  // namespace lcm::bench
