#pragma once

#include "lib/core/nn/kernels/vector.h"

/// Powers of two in bf16, two of 16 bits in each 32: what a softmax makes of scores.
namespace {

#if defined(__AVX512BF16__)

/// Number i of `low` beside number i of `high`, as bf16.
inline __m512i pairs_of(Vector low, Vector high) {
    const __m512i in_turns = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19,
                                              3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(
        in_turns, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(high), reinterpret_cast<__m512>(low))));
}

constexpr short one_bits = 0x3F80;  // of bf16

/// Parts of an exponent in which `power_pairs` counts, and how large exponents may be so that those fit 16 bits.
constexpr float exponent_parts = 512, largest_exponent = 62;

/// 2^(x / 512) for x = low * scale beside x = high * scale, |x| at most 512 times `largest_exponent`, as bf16 within 0.0049 of itself and
/// in the mean within 0.0017; one that is rounded is within 0.0039 and in the mean within 0.00166.
///
/// In whole numbers of 16 bits, which are 32 to an instruction. x is an exponent n and nine binary digits of a fraction u: rounded to
/// seven, they are the bits of 2^n (1 + u) in bf16. 2^u is less than 1 + u by about u (1 - u) (158 + 35 u) / 512.
inline __m512i power_pairs(Vector low, Vector high, float scale) {
    constexpr float middle = round_to_whole - 1;  // what is cut off below makes results larger by as much in the mean
    const auto whole = [&](Vector numbers) { return reinterpret_cast<__m512i>(numbers * scale + middle); };
    const __m512i x = _mm512_mask_blend_epi16(0x55555555, _mm512_slli_epi32(whole(high), 16), whole(low));
    const __m512i fraction = _mm512_slli_epi16(x, 7), rest = _mm512_sub_epi16(_mm512_setzero_si512(), fraction);
    const __m512i factor = _mm512_add_epi16(_mm512_mulhi_epu16(fraction, _mm512_set1_epi16(35)), _mm512_set1_epi16(158));
    const __m512i excess = _mm512_mulhi_epu16(_mm512_mulhi_epu16(fraction, rest), factor);
    const __m512i quarter = _mm512_mulhrs_epi16(_mm512_sub_epi16(x, excess), _mm512_set1_epi16(1 << 13));
    return _mm512_add_epi16(quarter, _mm512_set1_epi16(one_bits));
}

#endif

}  // namespace
