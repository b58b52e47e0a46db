#include "lib/optimize/activation_range.h"

#include <ATen/ops/aminmax.h>

#include <algorithm>
#include <cmath>

namespace lcm {

namespace {

constexpr std::uint64_t sample_numbers = 4096;  // a call
constexpr double narrowest = 0.3;               // of the extremes
constexpr int clip_count = 29;

/// The squared error of the sample in these steps.
double squared_error(const std::vector<float>& sample, const nn::StepRange& range) {
    double sum = 0;
    for (const float x : sample) {
        const float step = std::clamp(std::nearbyint(x / range.scale) + static_cast<float>(range.zero_point), 0.0F, 255.0F);
        const float error = (step - static_cast<float>(range.zero_point)) * range.scale - x;
        sum += static_cast<double>(error) * error;
    }
    return sum;
}

}  // namespace

nn::StepRange steps_between(float low, float high) {
    constexpr float steps = 255;
    const float scale = (high - low) / steps;
    if (!std::isnormal(scale)) return {};
    return {scale, static_cast<std::uint8_t>(std::clamp(std::nearbyint(-low / scale), 0.0F, steps))};
}

void ActivationRange::add(const at::Tensor& x) {
    const at::Tensor numbers = x.to(at::kFloat).contiguous();
    const auto [low, high] = numbers.aminmax();
    low_ = std::min(low_, low.item<float>());
    high_ = std::max(high_, high.item<float>());
    const auto* number = numbers.const_data_ptr<float>();
    const auto count = static_cast<std::uint64_t>(numbers.numel());
    // Multiples of 2^64 / golden ratio spread over any count, where a fixed stride would meet the same channels again.
    constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;
    for (std::uint64_t i = 0; i < std::min(count, sample_numbers); ++i)
        sample_.push_back(number[static_cast<std::uint64_t>((static_cast<unsigned __int128>(i * spread) * count) >> 64)]);
}

nn::StepRange ActivationRange::best() const {
    const float widest = std::max(-low_, high_);
    nn::StepRange best = steps_between(low_, high_);
    double least = squared_error(sample_, best);
    for (int i = 1; i < clip_count; ++i) {
        const float bound = widest * static_cast<float>(1 - (1 - narrowest) * i / (clip_count - 1));
        const nn::StepRange range = steps_between(std::max(low_, -bound), std::min(high_, bound));
        const double error = squared_error(sample_, range);
        if (error >= least) continue;
        best = range;
        least = error;
    }
    return best;
}

}  // namespace lcm
