#pragma once

#include <immintrin.h>

#include "lib/core/nn/kernels/vector.h"

/// Masks of the first numbers of a vector of AVX512; `count` may be less than none and more than all.
namespace {

/// Of 16.
inline __mmask16 first_lanes(std::int64_t count) {
    return static_cast<__mmask16>(count >= lanes ? 0xFFFF : count <= 0 ? 0 : (1U << count) - 1);
}

/// Of 32.
inline __mmask32 first_columns(std::int64_t count) {
    return count >= 32 ? ~__mmask32{0} : count <= 0 ? 0 : static_cast<__mmask32>((std::uint32_t{1} << count) - 1);
}

/// Numbers of a mask; the others are zero.
inline Vector load_masked(const Bf16* from, __mmask16 mask) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
    return reinterpret_cast<Vector>(_mm512_slli_epi32(wide, 16));
}

inline Vector load_masked(const float* from, __mmask16 mask) { return reinterpret_cast<Vector>(_mm512_maskz_loadu_ps(mask, from)); }

}  // namespace
