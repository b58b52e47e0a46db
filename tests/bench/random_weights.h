#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <string_view>

#include "lib/core/nn/quantized.h"
#include "lib/core/nn/weight_source.h"

namespace lcm::bench {

/// Weights of the right size for their layers, so that numbers stay finite; `path` is plain, packed or int8, or cuda as plain.
class RandomWeights : public nn::WeightSource {
public:
    RandomWeights(at::ScalarType type, std::string_view path) : type_(type), packed_(path == "packed" || path == "int8"), int8_(path == "int8") {}
    at::Tensor take(const std::string& /*name*/, at::IntArrayRef shape) override {
        const at::Tensor drawn = at::randn(shape, type_);
        std::int64_t inputs = 1;
        for (std::size_t i = 1; i < shape.size(); ++i) inputs *= shape[i];
        return shape.size() == 1 ? drawn.mul_(0.01).add_(1) : drawn.mul_(1 / std::sqrt(static_cast<double>(inputs)));
    }
    bool has(const std::string& /*name*/) const override { return true; }
    std::optional<at::ScalarType> packs() const override { return packed_ ? std::optional(type_) : std::nullopt; }
    /// In int8 what `lcm-optimize quantize` finds worth it in this shape.
    std::shared_ptr<const nn::Product> product(const std::string& module, const nn::ProductShape& shape) override {
        const std::int64_t taps = std::max<std::int64_t>(1, shape.kernel * shape.kernel);
        const bool once = module.starts_with("time_embedding") || module.ends_with("time_emb_proj");
        const bool folded = module.find("upsample") != module.npos;
        if (!int8_ || once || folded || shape.in * taps < 512 || shape.out * taps / (shape.stride * shape.stride) < 512) return nullptr;
        const nn::QuantizedWeight weight{at::randint(-127, 128, shape.weight(), at::kChar),
                                         at::full({shape.out}, 1.0 / (73 * std::sqrt(static_cast<double>(shape.in * taps))), at::kFloat),
                                         {8.0F / 255, 128}};
        return nn::quantized_product(shape, weight, shape.bias ? at::full({shape.out}, 0.01) : at::Tensor(), type_);
    }

private:
    at::ScalarType type_;
    bool packed_, int8_;
};

}  // namespace lcm::bench
