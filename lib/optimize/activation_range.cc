#include "lib/optimize/activation_range.h"

#include <ATen/ops/aminmax.h>

#include <algorithm>
#include <cmath>

namespace lcm {

nn::StepRange steps_between(float low, float high) {
    constexpr float steps = 255;
    const float scale = (high - low) / steps;
    if (!std::isnormal(scale)) return {};
    return {scale, static_cast<std::uint8_t>(std::clamp(std::nearbyint(-low / scale), 0.0F, steps))};
}

void ActivationRange::add(const at::Tensor& x) {
    const auto [low, high] = x.aminmax();
    low_ = std::min(low_, low.to(at::kFloat).item<float>());
    high_ = std::max(high_, high.to(at::kFloat).item<float>());
}

nn::StepRange ActivationRange::steps() const { return steps_between(low_, high_); }

}  // namespace lcm
