#pragma once

#include "lib/core/nn/kernels/vector.h"

namespace {

/// x times the normal distribution's integral, with erf by Abramowitz and Stegun, 7.1.26, on the positive side: within 1.5e-7.
inline Vector gelu(Vector x) {
    const Vector size = (x < 0.0F ? -x : x) * 0.70710678F;
    const Vector t = reciprocal(1.0F + 0.3275911F * size);
    const Vector sum = (((1.061405429F * t - 1.453152027F) * t + 1.421413741F) * t - 0.284496736F) * t + 0.254829592F;
    const Vector half = 0.5F * x, tail = half * (sum * t * exp(-size * size));
    return x < 0.0F ? tail : x - tail;
}

}  // namespace
