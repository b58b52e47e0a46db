#pragma once

#include "lib/core/nn/kernels/vector.h"

namespace {

using Bytes = std::uint8_t __attribute__((vector_size(lanes)));

/// clamp(round(x * factor) + zero, 0, 255), halves to even.
inline Bytes steps(Vector x, float factor, float zero) {
    Vector step = nearest(x * factor) + zero;
    step = step > 0.0F ? step : Vector{};
    step = step < 255.0F ? step : same(255.0F);
    step = step + round_to_whole;
    Word bits;
    std::memcpy(&bits, &step, sizeof bits);
#if defined(__AVX512F__)
    return reinterpret_cast<Bytes>(_mm512_cvtepi32_epi8(reinterpret_cast<__m512i>(bits)));
#else
    return __builtin_convertvector(bits, Bytes);
#endif
}

}  // namespace
