// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/picture_amx.h"

#include <immintrin.h>

#include "lib/core/nn/kernels/short_functions.h"
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

constexpr std::int64_t pixels_at_a_time = 16;  // whose channels stay in the first cache

/// One block of channels from `channel` of some pixels.
template <bool scaled, bool silu, bool bytes>
void fill_block(const PictureRow& row, const Change& change, std::int64_t channel, std::int64_t pixels, const Bf16* from, char* to) {
    constexpr std::int64_t number_bytes = bytes ? 1 : sizeof(Bf16), vectors = tile_row_bytes / number_bytes / lanes;
    __mmask16 mask[vectors];
    Vector factor[vectors], shift[vectors];
    for (std::int64_t i = 0; i < vectors; ++i) {
        const std::int64_t first = channel + i * lanes;
        mask[i] = first_lanes(row.channels - first);
        if constexpr (scaled) {
            factor[i] = load_masked(change.factor + first, mask[i]);
            shift[i] = load_masked(change.shift + first, mask[i]);
        }
    }
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel, from += row.channels, to += tile_row_bytes)
        for (std::int64_t i = 0; i < vectors; ++i) {
            Vector x = load_masked(from + i * lanes, mask[i]);
            if constexpr (scaled) x = x * factor[i] + shift[i];
            if constexpr (silu) x = short_silu(x);
            if constexpr (bytes) {
                const Bytes result = steps(x, change.per_step, change.zero);
                std::memcpy(to + i * lanes, &result, sizeof result);
            } else {
                store(x, reinterpret_cast<Bf16*>(to) + i * lanes);
            }
        }
}

void copy_block(const PictureRow& row, std::int64_t channel, std::int64_t pixels, const Bf16* from, char* to) {
    const std::int64_t left = row.channels - channel;
    const __mmask32 mask = left >= 32 ? ~__mmask32{0} : static_cast<__mmask32>((std::uint32_t{1} << left) - 1);
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel, from += row.channels, to += tile_row_bytes)
        _mm512_store_si512(to, _mm512_maskz_loadu_epi16(mask, from));
}

/// `fill(channel, pixels, from, to)` for every block of every few pixels.
template <bool bytes, typename Fill>
void for_each_block(const PictureRow& row, const Fill& fill) {
    constexpr std::int64_t block_channels = tile_row_bytes / (bytes ? 1 : sizeof(Bf16));
    for (std::int64_t pixel = 0; pixel < row.width; pixel += pixels_at_a_time) {
        const std::int64_t left = row.width - pixel, pixels = left < pixels_at_a_time ? left : pixels_at_a_time;
        char* to = row.to + pixel * tile_row_bytes;
        for (std::int64_t channel = 0; channel < row.channels; channel += block_channels, to += row.block)
            fill(channel, pixels, row.from + pixel * row.channels + channel, to);
    }
}

template <bool scaled, bool silu, bool bytes>
void fill(const PictureRow& row, const Change& change) {
    for_each_block<bytes>(row, [&](std::int64_t channel, std::int64_t pixels, const Bf16* from, char* to) {
        fill_block<scaled, silu, bytes>(row, change, channel, pixels, from, to);
    });
}

void copy(const PictureRow& row) {
    for_each_block<false>(row, [&](std::int64_t channel, std::int64_t pixels, const Bf16* from, char* to) {
        copy_block(row, channel, pixels, from, to);
    });
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
