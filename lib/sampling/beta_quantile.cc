#include "lib/sampling/beta_quantile.h"

#include <array>
#include <cmath>

namespace lcm {
namespace {

/// The continued fraction of the incomplete beta function with a = b = `shape`, by Lentz's method; for x <= 1/2.
double fraction(double x, double shape) {
    constexpr int most_terms = 300;
    constexpr double tiny = 1e-300, enough = 1e-16;
    const auto nonzero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
    double c = 1, d = 1 / nonzero(1 - x * 2 * shape / (shape + 1)), result = d;
    for (int m = 1; m <= most_terms; ++m) {
        const double even = m * (shape - m) * x / ((shape + 2 * m - 1) * (shape + 2 * m));
        const double odd = -(shape + m) * (2 * shape + m) * x / ((shape + 2 * m) * (shape + 2 * m + 1));
        for (const double term : std::array{even, odd}) {
            d = 1 / nonzero(1 + term * d);
            c = nonzero(1 + term / c);
            result *= c * d;
        }
        if (std::abs(c * d - 1) < enough) break;
    }
    return result;
}

/// The regularised incomplete beta function for x <= 1/2.
double lower_half(double x, double shape) {
    if (x <= 0) return 0;
    const double log_beta = 2 * std::lgamma(shape) - std::lgamma(2 * shape);
    return std::exp(shape * (std::log(x) + std::log1p(-x)) - log_beta) * fraction(x, shape) / shape;
}

}  // namespace

double beta_quantile(double probability, double shape) {
    if (probability > 0.5) return 1 - beta_quantile(1 - probability, shape);  // the density is symmetric
    if (probability <= 0) return 0;
    constexpr int halvings = 200;
    double low = 0, high = 0.5;
    for (int i = 0; i < halvings; ++i) {
        const double middle = (low + high) / 2;
        (lower_half(middle, shape) < probability ? low : high) = middle;
    }
    return (low + high) / 2;
}

}  // namespace lcm
