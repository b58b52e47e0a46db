#include "lib/render/interpolate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/base/error.h"

namespace lcm {
namespace {

constexpr double nearly_parallel = 0.9995;

double dot(std::span<const double> a, std::span<const double> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

std::vector<double> mix(std::span<const double> a, double weight_a, std::span<const double> b, double weight_b) {
    if (a.size() != b.size()) throw Error(ExitCode::software, "interpolation", "the two latents have different sizes");
    std::vector<double> out(a.size());
    std::ranges::transform(a, b, out.begin(), [&](double x, double y) { return weight_a * x + weight_b * y; });
    return out;
}

}  // namespace

std::vector<double> slerp(std::span<const double> a, std::span<const double> b, double fraction) {
    const double lengths = std::sqrt(dot(a, a)) * std::sqrt(dot(b, b));
    // A zero latent has no direction: the straight line is all there is.
    const double cosine = lengths > 0 ? dot(a, b) / lengths : 1.0;
    if (std::abs(cosine) > nearly_parallel) return lerp(a, b, fraction);
    const double angle = std::acos(cosine);
    return mix(a, std::sin((1 - fraction) * angle) / std::sin(angle), b, std::sin(fraction * angle) / std::sin(angle));
}

std::vector<double> lerp(std::span<const double> a, std::span<const double> b, double fraction) {
    return mix(a, 1 - fraction, b, fraction);
}

}  // namespace lcm
