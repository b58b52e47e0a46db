#pragma once

#include <bit>
#include <cstdint>

/// A function compiled for several instruction sets, the best of which is picked when the program starts. Its loops are left to the
/// compiler's vectorizer.
#if defined(__x86_64__) && defined(__GNUC__)
#define LCM_VECTOR_CODE __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define LCM_VECTOR_CODE
#endif

namespace lcm::nn {

/// e^x within 2 units in the last place, for any finite x or infinity, in operations that vectorize: 2^n from the exponent's bits times a
/// polynomial of the rest in [-ln 2 / 2, ln 2 / 2] (the coefficients are those of Cephes' `expf`).
__attribute__((always_inline)) inline float exp_vector(float x) {
    constexpr float log2_e = 1.44269504F, ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
    constexpr float round_to_whole = 12582912.0F;  // 1.5 * 2^23: adding it rounds to the nearest whole number
    x = x > 88.0F ? 88.0F : x;
    x = x < -87.0F ? -87.0F : x;
    const float whole = (x * log2_e + round_to_whole) - round_to_whole;
    const float rest = (x - whole * ln2_high) - whole * ln2_low;
    float sum = 1.9875691500e-4F;
    sum = sum * rest + 1.3981999507e-3F;
    sum = sum * rest + 8.3334519073e-3F;
    sum = sum * rest + 4.1665795894e-2F;
    sum = sum * rest + 1.6666665459e-1F;
    sum = sum * rest + 5.0000001201e-1F;
    sum = sum * rest * rest + rest + 1.0F;
    return sum * std::bit_cast<float>((static_cast<std::int32_t>(whole) + 127) << 23);
}

/// x * sigmoid(x).
__attribute__((always_inline)) inline float silu_vector(float x) { return x / (1.0F + exp_vector(-x)); }

/// The bits of a bf16 number: the upper half of an f32.
using Bf16 = std::uint16_t;

inline float to_float(float x) { return x; }
inline float to_float(Bf16 bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

inline void store(float x, float& to) { to = x; }
/// Rounds to the nearest, halves to even. Not for a NaN whose lower bits are all set.
inline void store(float x, Bf16& to) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    to = static_cast<Bf16>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

}  // namespace lcm::nn
