// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/picture_amx.h"

#include <immintrin.h>

#include "lib/core/nn/kernels/steps.h"
#include "lib/core/nn/kernels/tiles_amx.h"
#include "lib/core/nn/kernels/vector.h"

namespace lcm::nn::amx {

namespace {

inline __mmask16 first_lanes(std::int64_t count) {
    return static_cast<__mmask16>(count >= lanes ? 0xFFFF : count <= 0 ? 0 : (1U << count) - 1);
}

inline Vector load_masked(const Bf16* from, __mmask16 mask) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from));
    return reinterpret_cast<Vector>(_mm512_slli_epi32(wide, 16));
}

inline Vector load_masked(const float* from, __mmask16 mask) { return reinterpret_cast<Vector>(_mm512_maskz_loadu_ps(mask, from)); }

/// Sixteen channels of a row: `to` is those of its first pixel.
template <bool scaled, bool silu, bool bytes>
void fill_lanes(const PictureRow& row, const Change& change, std::int64_t channel, char* to) {
    const __mmask16 mask = first_lanes(row.channels - channel);
    const Vector factor = scaled ? load_masked(change.factor + channel, mask) : same(1);
    const Vector shift = scaled ? load_masked(change.shift + channel, mask) : same(0);
    const Bf16* from = row.from + channel;
    for (std::int64_t pixel = 0; pixel < row.width; ++pixel, from += row.channels, to += tile_row_bytes) {
        Vector x = load_masked(from, mask);
        if constexpr (scaled) x = x * factor + shift;
        if constexpr (silu) x = x * reciprocal(1.0F + exp(-x));
        if constexpr (bytes) {
            const Bytes result = steps(x, change.per_step, change.zero);
            std::memcpy(to, &result, sizeof result);
        } else {
            store(x, reinterpret_cast<Bf16*>(to));
        }
    }
}

template <bool scaled, bool silu, bool bytes>
void fill(const PictureRow& row, const Change& change) {
    constexpr std::int64_t number_bytes = bytes ? 1 : sizeof(Bf16), block_channels = tile_row_bytes / number_bytes;
    char* to = row.to;
    for (std::int64_t first = 0; first < row.channels; first += block_channels, to += row.block)
        for (std::int64_t channel = 0; channel < block_channels; channel += lanes)
            fill_lanes<scaled, silu, bytes>(row, change, first + channel, to + channel * number_bytes);
}

void copy(const PictureRow& row) {
    constexpr std::int64_t block_channels = tile_row_bytes / sizeof(Bf16);
    char* block = row.to;
    for (std::int64_t first = 0; first < row.channels; first += block_channels, block += row.block) {
        const std::int64_t left = row.channels - first;
        const __mmask32 mask = left >= block_channels ? ~__mmask32{0} : static_cast<__mmask32>((std::uint32_t{1} << left) - 1);
        const Bf16* from = row.from + first;
        char* to = block;
        for (std::int64_t pixel = 0; pixel < row.width; ++pixel, from += row.channels, to += tile_row_bytes)
            _mm512_store_si512(to, _mm512_maskz_loadu_epi16(mask, from));
    }
}

}  // namespace

void fill_row(const PictureRow& row, const Change& change) {
    const bool scaled = change.factor != nullptr;
    if (change.bytes && change.silu) return fill<true, true, true>(row, change);
    if (change.bytes) return scaled ? fill<true, false, true>(row, change) : fill<false, false, true>(row, change);
    if (!scaled) return copy(row);
    return change.silu ? fill<true, true, false>(row, change) : fill<true, false, false>(row, change);
}

}  // namespace lcm::nn::amx
