// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/attention_tiles.h"

namespace lcm::nn::blocked {

HeadSizes tiled_sizes(const HeadShape& given) {
    const TiledHead shape(given);
    return {.keys = shape.padded_keys() / tile_columns * shape.depth() * tile_numbers,
            .values = shape.padded_keys() / query_block * shape.value_tiles() * tile_numbers,
            .scratch = 2 * score_numbers + query_block * (key_block + shape.value_tiles() * tile_columns + shape.depth() * tile_pairs)};
}

// Keys that fill up the last tile are copies of the last one: they raise no maximum.
float pack_tiled_keys(TokenRows keys, const HeadShape& given, void* to) {
    const TiledHead shape(given);
    auto* packed = static_cast<Bf16*>(to);
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i row_bytes = _mm512_set1_epi32(static_cast<int>(keys.stride * static_cast<std::int64_t>(sizeof(Bf16))));
    __m512 largest = _mm512_setzero_ps();
    for (std::int64_t key = 0; key < shape.padded_keys(); key += tile_columns) {
        const std::int64_t first = least(key, shape.keys - 1), last = shape.keys - 1 - first;
        const __m512i rows = _mm512_mullo_epi32(_mm512_min_epi32(lane, _mm512_set1_epi32(static_cast<int>(last))), row_bytes);
        __m512 squares = _mm512_setzero_ps();
        for (std::int64_t c = 0; c < shape.depth() * depth_step; c += pair, packed += depth_step) {
            const bool inside = c < shape.width;
            const Bf16* const from = static_cast<const Bf16*>(keys.first) + first * keys.stride + (inside ? c : 0);
            const __m512i pairs = inside ? _mm512_i32gather_epi32(rows, from, 1) : _mm512_setzero_si512();
            _mm512_storeu_si512(packed, pairs);
            squares = _mm512_dpbf16_ps(squares, reinterpret_cast<__m512bh>(pairs), reinterpret_cast<__m512bh>(pairs));
        }
        largest = _mm512_max_ps(largest, reinterpret_cast<__m512>(or_infinite(reinterpret_cast<Vector>(squares))));
    }
    return _mm512_reduce_max_ps(largest);
}

// What fills up is zero.
void pack_tiled_values(TokenRows values, const HeadShape& given, void* to) {
    const TiledHead shape(given);
    auto* packed = static_cast<Bf16*>(to);
    alignas(64) Bf16 order[2 * tile_columns];
    for (std::int64_t i = 0; i < tile_columns; ++i) {
        order[2 * i] = static_cast<Bf16>(i);
        order[2 * i + 1] = static_cast<Bf16>(i + 2 * tile_columns);
    }
    memory_is_written();  // gcc 12 loads what it has not stored yet
    const __m512i interleaved = _mm512_load_si512(order);
    for (std::int64_t key = 0; key < shape.padded_keys(); key += depth_step)
        for (std::int64_t tile = 0; tile < shape.value_tiles(); ++tile) {
            const std::int64_t c = tile * tile_columns, ones = shape.width - c;
            const __mmask16 numbers = first_lanes(ones);
            const __mmask16 sum = ones < tile_columns ? static_cast<__mmask16>(1U << ones) : static_cast<__mmask16>(0);
            for (std::int64_t row = key; row < key + tile_pairs; ++row, packed += depth_step) {
                __m256i halves[pair];
                for (std::int64_t i = 0; i < pair; ++i) {
                    const std::int64_t each = row + i * tile_columns;
                    const bool inside = each < shape.keys;
                    const Bf16* const from = static_cast<const Bf16*>(values.first) + (inside ? each * values.stride + c : 0);
                    halves[i] = _mm256_maskz_loadu_epi16(inside ? numbers : first_lanes(0), from);
                    if (inside) halves[i] = _mm256_mask_set1_epi16(halves[i], sum, one_bits);
                }
                const __m512i pairs =
                    _mm512_permutex2var_epi16(_mm512_castsi256_si512(halves[0]), interleaved, _mm512_castsi256_si512(halves[1]));
                _mm512_storeu_si512(packed, pairs);
            }
        }
}

}  // namespace lcm::nn::blocked
