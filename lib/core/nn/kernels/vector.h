#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "lib/core/nn/kernels/vector_kernels.h"

/// f32 numbers that fill one register of the instruction set. Every compilation has its own copy of these functions, because
/// the linker keeps one of several equal ones and it might be that of the wrong instruction set.
namespace {

using lcm::nn::Bf16;
using lcm::nn::Half;

#if defined(__AVX512F__)
constexpr std::int64_t lanes = 16;
#elif defined(__AVX2__)
constexpr std::int64_t lanes = 8;
#else
constexpr std::int64_t lanes = 4;
#endif
using Vector = float __attribute__((vector_size(4 * lanes)));
using Whole = std::int32_t __attribute__((vector_size(4 * lanes)));
using Word = std::uint32_t __attribute__((vector_size(4 * lanes)));
using Short = std::uint16_t __attribute__((vector_size(2 * lanes)));

/// The compiler does not know what tiles and the assembler's instructions load from memory: what was stored must be there.
inline void memory_is_written() { asm volatile("" ::: "memory"); }

/// What is read or written soon: on its way into the first cache, or only the second.
inline void fetch_near(const void* line) { __builtin_prefetch(line, 0, 3); }
inline void fetch_far(const void* line) { __builtin_prefetch(line, 0, 2); }

/// Memory that comes from far away in an order that no CPU foresees, such as some channels of many pixels.
inline void fetch_near(const void* from, std::int64_t bytes) {
    constexpr std::int64_t line_bytes = 64;
    for (std::int64_t i = 0; i < bytes; i += line_bytes) fetch_near(static_cast<const char*>(from) + i);
}

inline Vector same(float x) { return x - Vector{}; }

inline Vector load(const float* from) {
    Vector x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

inline Vector load(const Bf16* from) {
    Short bits;
    std::memcpy(&bits, from, sizeof bits);
    const Word wide = __builtin_convertvector(bits, Word) << 16;
    Vector x;
    std::memcpy(&x, &wide, sizeof x);
    return x;
}

inline Vector load(const Half* from) {
#if defined(__AVX512F__)
    return reinterpret_cast<Vector>(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
#else
    Short bits;
    std::memcpy(&bits, from, sizeof bits);
    const Word half = __builtin_convertvector(bits, Word), sign = (half & 0x8000) << 16, rest = half & 0x7FFF;
    // The exponent of a half moves by 112 places; one of 31 (infinity, NaN) becomes 255, and subnormal numbers are multiples of 2^-24.
    const Word normal = (rest << 13) + (rest >= 0x7C00 ? Word{} + (224U << 23) : Word{} + (112U << 23));
    const Vector subnormal = __builtin_convertvector(rest, Vector) * 5.9604644775390625e-8F;
    Word small;
    std::memcpy(&small, &subnormal, sizeof small);
    const Word all = (rest < 0x0400 ? small : normal) | sign;
    Vector x;
    std::memcpy(&x, &all, sizeof x);
    return x;
#endif
}

inline void store(Vector x, float* to) { std::memcpy(to, &x, sizeof x); }

/// Rounds to the nearest, halves to even.
inline void store(Vector x, Bf16* to) {
#if defined(__AVX512BF16__)
    const __m256bh bits = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(x));
#else
    Word wide;
    std::memcpy(&wide, &x, sizeof wide);
    wide = x == x ? (wide + 0x7FFF + ((wide >> 16) & 1)) >> 16 : Word{} + 0x7FC0;
    const Short bits = __builtin_convertvector(wide, Short);
#endif
    std::memcpy(to, &bits, sizeof bits);
}

/// The first `count` numbers; the others are 0.
template <typename Number>
inline Vector load_some(const Number* from, std::int64_t count) {
    Number numbers[lanes] = {};
    std::memcpy(numbers, from, static_cast<std::size_t>(count) * sizeof(Number));
    return load(numbers);
}

template <typename Number>
inline void store_some(Vector x, Number* to, std::int64_t count) {
    Number numbers[lanes];
    store(x, numbers);
    std::memcpy(to, numbers, static_cast<std::size_t>(count) * sizeof(Number));
}

/// The sum of all lanes.
inline float sum_of(Vector x) {
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps(reinterpret_cast<__m512>(x));
#else
    float sum = 0;
    for (std::int64_t i = 0; i < lanes; ++i) sum += x[i];
    return sum;
#endif
}

/// x, or infinity where it is not a number, which no comparison with others forgets.
inline float or_infinite(float x) { return x == x ? x : __builtin_inff(); }
inline Vector or_infinite(Vector x) { return x == x ? x : same(__builtin_inff()); }

/// 1.5 * 2^23: adding it rounds a number below 2^22 to the nearest whole one, halves to even, and leaves that in the low bits.
constexpr float round_to_whole = 12582912.0F;

inline Vector nearest(Vector x) { return (x + round_to_whole) - round_to_whole; }

/// 2^x of whole numbers from -126 to 127.
inline Vector power_of_two(Vector whole) {
    const Whole bits = (__builtin_convertvector(whole, Whole) + 127) << 23;
    return reinterpret_cast<Vector>(bits);
}

/// e^x within 2 units in the last place: 2^n from the exponent's bits times a polynomial of the rest in [-ln 2 / 2, ln 2 / 2] (the
/// coefficients are those of Cephes' `expf`).
inline Vector exp(Vector x) {
    constexpr float log2_e = 1.44269504F, ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
    x = x > 88.0F ? same(88.0F) : x;
    x = x < -87.0F ? same(-87.0F) : x;
    const Vector whole = nearest(x * log2_e);
    const Vector rest = (x - whole * ln2_high) - whole * ln2_low;
    Vector sum = same(1.9875691500e-4F);
    sum = sum * rest + 1.3981999507e-3F;
    sum = sum * rest + 8.3334519073e-3F;
    sum = sum * rest + 4.1665795894e-2F;
    sum = sum * rest + 1.6666665459e-1F;
    sum = sum * rest + 5.0000001201e-1F;
    sum = sum * rest * rest + rest + 1.0F;
    return sum * power_of_two(whole);
}

/// 1 / x for x >= 1, within 2 units in the last place: a guess of the CPU and one step of Newton's method.
inline Vector reciprocal(Vector x) {
#if defined(__AVX512F__)
    const Vector guess = reinterpret_cast<Vector>(_mm512_rcp14_ps(reinterpret_cast<__m512>(x)));
    return guess * (2.0F - x * guess);
#else
    return 1.0F / x;
#endif
}

/// x / (1 + e^-x)
inline Vector silu(Vector x) { return x * reciprocal(1.0F + exp(-x)); }

}  // namespace
