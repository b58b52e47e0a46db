#pragma once

#include "lib/core/nn/kernels/vector.h"

/// Powers of two with AVX512, and functions for results in bf16, which keeps 8 binary digits of them: a third of the work of the
/// exact ones.
namespace {

/// 2^x within 2 units in the last place: a polynomial of what is left of x by rounding, least in its largest relative error (2e-9).
inline __m512 exact_exp2(__m512 x) {
    const __m512 rest = _mm512_reduce_ps(x, 0x08);  // x - round(x)
    __m512 y = _mm512_fmadd_ps(_mm512_set1_ps(1.53458116e-4F), rest, _mm512_set1_ps(1.33999312e-3F));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(9.61848896e-3F));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(5.55032878e-2F));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.240226469F));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(0.693147206F));
    y = _mm512_fmadd_ps(y, rest, _mm512_set1_ps(1));
    return _mm512_scalef_ps(y, _mm512_sub_ps(x, rest));
}

/// 2^x within 1e-4 of itself: a polynomial of the fraction in [0,1), least in its largest relative error.
inline __m512 short_exp2(__m512 x) {
    const __m512 fraction = _mm512_reduce_ps(x, 0x09);  // x - floor(x)
    __m512 y = _mm512_fmadd_ps(_mm512_set1_ps(0.0790209F), fraction, _mm512_set1_ps(0.2241276F));
    y = _mm512_fmadd_ps(y, fraction, _mm512_set1_ps(0.6967532F));
    y = _mm512_fmadd_ps(y, fraction, _mm512_set1_ps(0.9998984F));
    return _mm512_scalef_ps(y, x);
}

/// x / (1 + e^-x) within 2e-4 of itself.
inline Vector short_silu(Vector x) {
    constexpr float log2_e = 1.44269504F;
    const Vector power = reinterpret_cast<Vector>(short_exp2(reinterpret_cast<__m512>(x * -log2_e)));
    return x * reinterpret_cast<Vector>(_mm512_rcp14_ps(reinterpret_cast<__m512>(1.0F + power)));
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
