#pragma once

#include "lib/core/nn/kernels/vector.h"

/// Powers of two, and functions for results in bf16, which keeps 8 binary digits of them: a third of the work of the exact ones.
namespace {

#if defined(__AVX512F__)

/// x - round(x)
inline Vector rest_of_nearest(Vector x) { return reinterpret_cast<Vector>(_mm512_reduce_ps(reinterpret_cast<__m512>(x), 0x08)); }

/// x - floor(x)
inline Vector fraction(Vector x) { return reinterpret_cast<Vector>(_mm512_reduce_ps(reinterpret_cast<__m512>(x), 0x09)); }

/// y 2^floor(x)
inline Vector times_power(Vector y, Vector x) {
    return reinterpret_cast<Vector>(_mm512_scalef_ps(reinterpret_cast<__m512>(y), reinterpret_cast<__m512>(x)));
}

/// 1 / x within 2^-14 of itself.
inline Vector short_reciprocal(Vector x) { return reinterpret_cast<Vector>(_mm512_rcp14_ps(reinterpret_cast<__m512>(x))); }

#else

/// Of a power whose number has no subnormal ones behind it.
constexpr float least_exponent = -126;

inline Vector rest_of_nearest(Vector x) { return x - nearest(x); }

inline Vector fraction(Vector x) {
    const Vector rest = rest_of_nearest(x);
    return rest < 0.0F ? rest + 1.0F : rest;
}

/// For x below 128; powers below the least one become that.
inline Vector times_power(Vector y, Vector x) {
    return y * power_of_two(x < least_exponent ? same(least_exponent) : x - fraction(x));
}

inline Vector short_reciprocal(Vector x) { return 1.0F / x; }

#endif

/// 2^x within 2 units in the last place: a polynomial of what is left of x by rounding, least in its largest relative error (2e-9).
inline Vector exact_exp2(Vector x) {
    const Vector rest = rest_of_nearest(x);
    Vector y = 1.53458116e-4F * rest + 1.33999312e-3F;
    y = y * rest + 9.61848896e-3F;
    y = y * rest + 5.55032878e-2F;
    y = y * rest + 0.240226469F;
    y = y * rest + 0.693147206F;
    y = y * rest + 1.0F;
    return times_power(y, x - rest);
}

/// 2^x within 1e-4 of itself: a polynomial of the fraction in [0,1), least in its largest relative error.
inline Vector short_exp2(Vector x) {
    const Vector rest = fraction(x);
    Vector y = 0.0790209F * rest + 0.2241276F;
    y = y * rest + 0.6967532F;
    y = y * rest + 0.9998984F;
    return times_power(y, x);
}

/// x / (1 + e^-x) within 2e-4 of itself.
inline Vector short_silu(Vector x) {
    constexpr float log2_e = 1.44269504F;
    return x * short_reciprocal(1.0F + short_exp2(x * -log2_e));
}

/// x times the normal distribution's integral, within 1e-4. The integral less 1/2 is an odd polynomial, least in its
/// largest error times x, which meets 0 and 1 at the ends of its range.
inline Vector short_gelu(Vector x) {
    constexpr float end = 4.25F;
    const Vector y = x < -end ? same(-end) : x > end ? same(end) : x;
    const Vector square = y * y;
    constexpr float coefficients[] = {-5.88553206e-9F, 2.42182551e-7F, -5.88557987e-6F, 9.5663745e-5F,
                                      -1.11919933e-3F, 9.84112825e-3F, -6.63683563e-2F, 3.98907661e-1F};
    Vector sum = same(6.32576977e-11F);
    for (const float coefficient : coefficients) sum = sum * square + coefficient;
    return x * (y * sum + 0.5F);
}

}  // namespace
