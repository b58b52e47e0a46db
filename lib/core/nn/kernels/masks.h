#pragma once

#include "lib/core/nn/kernels/vector.h"

/// The first numbers of a vector: a mask of AVX512, else their number.
namespace {

#if defined(__AVX512F__)

using Lanes = __mmask16;

/// `count` may be less than none and more than all.
inline Lanes first_lanes(std::int64_t count) { return static_cast<Lanes>(count >= lanes ? 0xFFFF : count <= 0 ? 0 : (1U << count) - 1); }

/// The others are zero.
inline Vector load_first(const float* from, Lanes first) { return reinterpret_cast<Vector>(_mm512_maskz_loadu_ps(first, from)); }

inline Vector load_first(const Bf16* from, Lanes first) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first, from));
    return reinterpret_cast<Vector>(_mm512_slli_epi32(wide, 16));
}

inline void store_first(Vector x, float* to, Lanes first) { _mm512_mask_storeu_ps(to, first, reinterpret_cast<__m512>(x)); }

/// Of 32.
inline __mmask32 first_columns(std::int64_t count) {
    return count >= 32 ? ~__mmask32{0} : count <= 0 ? 0 : static_cast<__mmask32>((std::uint32_t{1} << count) - 1);
}

#else

using Lanes = std::int64_t;

inline Lanes first_lanes(std::int64_t count) { return count >= lanes ? lanes : count <= 0 ? 0 : count; }

template <typename Number>
inline Vector load_first(const Number* from, Lanes first) {
    return first == lanes ? load(from) : load_some(from, first);
}

inline void store_first(Vector x, float* to, Lanes first) {
    if (first == lanes)
        store(x, to);
    else
        store_some(x, to, first);
}

#endif

}  // namespace
