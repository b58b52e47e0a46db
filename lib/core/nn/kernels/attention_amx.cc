// Compiled for AMX and AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/attention_amx.h"

#include <immintrin.h>

#include <cstring>

#include "lib/core/nn/kernels/short_functions.h"

namespace lcm::nn::amx {

namespace {

constexpr std::int64_t pair = 2, depth_step = pair * tile_pairs;
constexpr std::int64_t score_stride = key_block, weight_stride = 2 * key_block;  // of S in f32 and of P in bf16, which lies in its place
constexpr std::int64_t weight_half = tile_rows * weight_stride;

inline std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

inline __mmask16 first_lanes(std::int64_t count) {
    return static_cast<__mmask16>(count >= tile_rows ? 0xFFFF : count <= 0 ? 0 : (1U << count) - 1);
}

/// Working memory of a block, all rows a multiple of 64 bytes.
struct Block {
    float* scores;  ///< [query_block,key_block]; then the weights P
    float* sums;    ///< [query_block,sum_stride]: O and, in column `width`, the sums of P's rows
    Bf16* queries;  ///< [query_block,query_stride]
    std::int64_t sum_stride, query_stride;
    float largest[query_block];

    Block(const HeadShape& shape, float* scratch)
        : scores(scratch),
          sums(scratch + query_block * key_block),
          sum_stride(shape.value_tiles() * tile_rows),
          query_stride(shape.depth() * depth_step) {
        queries = reinterpret_cast<Bf16*>(sums + query_block * sum_stride);
        for (float& each : largest) each = -__FLT_MAX__;
        std::memset(sums, 0, static_cast<std::size_t>(query_block * sum_stride) * sizeof *sums);
    }
    Bf16* weights() const { return reinterpret_cast<Bf16*>(scores); }
};

void copy_queries(const HeadShape& shape, const Attend& work, Block& block) {
    for (std::int64_t row = 0; row < query_block; ++row)
        for (std::int64_t c = 0; c < block.query_stride; c += tile_rows) {
            const __mmask16 mask = row < work.count ? first_lanes(shape.width - c) : first_lanes(0);
            const __m256i numbers = _mm256_maskz_loadu_epi16(mask, work.queries.first + row * work.queries.stride + c);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(block.queries + row * block.query_stride + c), numbers);
        }
}

/// Scores of heads up to 64 wide: the queries stay in tiles 4 to 7.
void scores_of_narrow_heads(const HeadShape& shape, const Bf16* keys, std::int64_t count, const Block& block) {
    const bool two = shape.depth() == 2;
    const std::int64_t stride = block.query_stride * static_cast<std::int64_t>(sizeof(Bf16)), below = tile_rows * block.query_stride;
    _tile_loadd(4, block.queries, stride);
    _tile_loadd(5, block.queries + below, stride);
    if (two) {
        _tile_loadd(6, block.queries + depth_step, stride);
        _tile_loadd(7, block.queries + below + depth_step, stride);
    }
    for (std::int64_t key = 0; key < count; key += tile_rows, keys += shape.depth() * tile_numbers) {
        _tile_loadd(2, keys, 64);
        _tile_zero(0);
        _tile_zero(1);
        _tile_dpbf16ps(0, 4, 2);
        _tile_dpbf16ps(1, 5, 2);
        if (two) {
            _tile_loadd(3, keys + tile_numbers, 64);
            _tile_dpbf16ps(0, 6, 3);
            _tile_dpbf16ps(1, 7, 3);
        }
        _tile_stored(0, block.scores + key, score_stride * sizeof(float));
        _tile_stored(1, block.scores + tile_rows * score_stride + key, score_stride * sizeof(float));
    }
}

/// Scores of any head: two tiles of queries times two of keys.
void scores_of_wide_heads(const HeadShape& shape, const Bf16* keys, std::int64_t count, const Block& block) {
    const std::int64_t stride = block.query_stride * static_cast<std::int64_t>(sizeof(Bf16)), below = tile_rows * block.query_stride;
    const std::int64_t next = shape.depth() * tile_numbers;
    for (std::int64_t key = 0; key < count; key += 2 * tile_rows, keys += 2 * next) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (std::int64_t step = 0; step < shape.depth(); ++step) {
            _tile_loadd(4, block.queries + step * depth_step, stride);
            _tile_loadd(5, block.queries + below + step * depth_step, stride);
            _tile_loadd(6, keys + step * tile_numbers, 64);
            _tile_loadd(7, keys + next + step * tile_numbers, 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
        float* const upper = block.scores + key;
        float* const lower = upper + tile_rows * score_stride;
        _tile_stored(0, upper, score_stride * sizeof(float));
        _tile_stored(1, upper + tile_rows, score_stride * sizeof(float));
        _tile_stored(2, lower, score_stride * sizeof(float));
        _tile_stored(3, lower + tile_rows, score_stride * sizeof(float));
    }
}

/// Turns a row of scores into weights, and rescales what the row has summed up where its largest score has grown.
void weigh_row(Block& block, std::int64_t row, std::int64_t count, float scale) {
    const float* const scores = block.scores + row * score_stride;
    __m512 even = _mm512_load_ps(scores), odd = _mm512_load_ps(scores + tile_rows);
    for (std::int64_t key = 2 * tile_rows; key < count; key += 2 * tile_rows) {
        even = _mm512_max_ps(even, _mm512_load_ps(scores + key));
        odd = _mm512_max_ps(odd, _mm512_load_ps(scores + key + tile_rows));
    }
    const float largest = __builtin_ceilf(_mm512_reduce_max_ps(_mm512_max_ps(even, odd)) * scale);
    if (largest > block.largest[row]) {
        const __m512 factor = _mm512_scalef_ps(_mm512_set1_ps(1), _mm512_set1_ps(block.largest[row] - largest));
        float* const sums = block.sums + row * block.sum_stride;
        for (std::int64_t c = 0; c < block.sum_stride; c += tile_rows)
            _mm512_store_ps(sums + c, _mm512_mul_ps(_mm512_load_ps(sums + c), factor));
        block.largest[row] = largest;
    }
    const __m512 factor = _mm512_set1_ps(scale), shift = _mm512_set1_ps(-block.largest[row]);
    Bf16* const weights = block.weights() + row * weight_stride;
    for (std::int64_t key = 0; key < count; key += 2 * tile_rows) {
        const __m512 low = short_exp2(_mm512_fmadd_ps(_mm512_load_ps(scores + key), factor, shift));
        const __m512 high = short_exp2(_mm512_fmadd_ps(_mm512_load_ps(scores + key + tile_rows), factor, shift));
        _mm512_store_si512(weights + key, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
    }
}

/// O += P V for `tiles` (1 to 3) columns of tiles; sums in tiles 0 to 5, each second one of the lower queries.
template <int tiles>
void add_values(const Bf16* values, std::int64_t value_stride, std::int64_t count, const Block& block, float* sums) {
    const std::int64_t stride = block.sum_stride * static_cast<std::int64_t>(sizeof(float));
    float* const lower = sums + tile_rows * block.sum_stride;
    _tile_loadd(0, sums, stride);
    _tile_loadd(1, lower, stride);
    if constexpr (tiles > 1) {
        _tile_loadd(2, sums + tile_rows, stride);
        _tile_loadd(3, lower + tile_rows, stride);
    }
    if constexpr (tiles > 2) {
        _tile_loadd(4, sums + 2 * tile_rows, stride);
        _tile_loadd(5, lower + 2 * tile_rows, stride);
    }
    const Bf16* weights = block.weights();
    for (std::int64_t key = 0; key < count; key += depth_step, weights += depth_step, values += value_stride) {
        constexpr std::int64_t row = weight_stride * sizeof(Bf16);
        _tile_loadd(7, values, 64);
        _tile_loadd(6, weights, row);
        _tile_dpbf16ps(0, 6, 7);
        _tile_loadd(6, weights + weight_half, row);
        _tile_dpbf16ps(1, 6, 7);
        if constexpr (tiles > 1) {
            _tile_loadd(7, values + tile_numbers, 64);
            _tile_dpbf16ps(3, 6, 7);
            _tile_loadd(6, weights, row);
            _tile_dpbf16ps(2, 6, 7);
        }
        if constexpr (tiles > 2) {
            _tile_loadd(7, values + 2 * tile_numbers, 64);
            _tile_dpbf16ps(4, 6, 7);
            _tile_loadd(6, weights + weight_half, row);
            _tile_dpbf16ps(5, 6, 7);
        }
    }
    _tile_stored(0, sums, stride);
    _tile_stored(1, lower, stride);
    if constexpr (tiles > 1) {
        _tile_stored(2, sums + tile_rows, stride);
        _tile_stored(3, lower + tile_rows, stride);
    }
    if constexpr (tiles > 2) {
        _tile_stored(4, sums + 2 * tile_rows, stride);
        _tile_stored(5, lower + 2 * tile_rows, stride);
    }
}

void write_result(const HeadShape& shape, const Attend& work, const Block& block) {
    for (std::int64_t row = 0; row < work.count; ++row) {
        const float* const sums = block.sums + row * block.sum_stride;
        const __m512 factor = _mm512_set1_ps(1 / sums[shape.width]);
        for (std::int64_t c = 0; c < shape.width; c += tile_rows) {
            const __m256bh mean = _mm512_cvtneps_pbh(_mm512_mul_ps(_mm512_load_ps(sums + c), factor));
            _mm256_mask_storeu_epi16(work.out + row * work.out_stride + c, first_lanes(shape.width - c), reinterpret_cast<__m256i>(mean));
        }
    }
}

}  // namespace

void pack_keys(TokenRows keys, const HeadShape& shape, Bf16* packed) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i row_bytes = _mm512_set1_epi32(static_cast<int>(keys.stride * static_cast<std::int64_t>(sizeof(Bf16))));
    for (std::int64_t key = 0; key < shape.padded_keys(); key += tile_rows) {
        const std::int64_t first = least(key, shape.keys - 1), last = shape.keys - 1 - first;
        const __m512i rows = _mm512_mullo_epi32(_mm512_min_epi32(lane, _mm512_set1_epi32(static_cast<int>(last))), row_bytes);
        for (std::int64_t c = 0; c < shape.depth() * depth_step; c += pair, packed += depth_step) {
            const bool inside = c < shape.width;
            const Bf16* const from = keys.first + first * keys.stride + (inside ? c : 0);
            const __m512i pairs = inside ? _mm512_i32gather_epi32(rows, from, 1) : _mm512_setzero_si512();
            _mm512_storeu_si512(packed, pairs);
        }
    }
}

void pack_values(TokenRows values, const HeadShape& shape, Bf16* packed) {
    constexpr Bf16 one = 0x3F80;
    alignas(64) Bf16 order[2 * tile_rows];
    for (std::int64_t i = 0; i < tile_rows; ++i) {
        order[2 * i] = static_cast<Bf16>(i);
        order[2 * i + 1] = static_cast<Bf16>(i + 2 * tile_rows);
    }
    memory_is_written();
    const __m512i interleaved = _mm512_load_si512(order);
    for (std::int64_t key = 0; key < shape.padded_keys(); key += depth_step)
        for (std::int64_t tile = 0; tile < shape.value_tiles(); ++tile) {
            const std::int64_t c = tile * tile_rows, ones = shape.width - c;
            const __mmask16 numbers = first_lanes(ones);
            const __mmask16 sum = ones < tile_rows ? static_cast<__mmask16>(1U << ones) : static_cast<__mmask16>(0);
            for (std::int64_t row = key; row < key + depth_step; row += pair, packed += depth_step) {
                __m256i halves[pair];
                for (std::int64_t i = 0; i < pair; ++i) {
                    const bool inside = row + i < shape.keys;
                    const Bf16* const from = values.first + (inside ? (row + i) * values.stride + c : 0);
                    halves[i] = _mm256_maskz_loadu_epi16(inside ? numbers : first_lanes(0), from);
                    if (inside) halves[i] = _mm256_mask_set1_epi16(halves[i], sum, static_cast<short>(one));
                }
                const __m512i pairs =
                    _mm512_permutex2var_epi16(_mm512_castsi256_si512(halves[0]), interleaved, _mm512_castsi256_si512(halves[1]));
                _mm512_storeu_si512(packed, pairs);
            }
        }
}

void attend(const HeadShape& shape, const Attend& work) {
    Block block(shape, work.scratch);
    copy_queries(shape, work, block);
    const std::int64_t value_stride = shape.value_tiles() * tile_numbers;
    for (std::int64_t first = 0; first < shape.padded_keys(); first += key_block) {
        const std::int64_t count = least(key_block, shape.padded_keys() - first);
        const Bf16* const keys = work.keys + first / tile_rows * shape.depth() * tile_numbers;
        memory_is_written();
        if (shape.depth() <= 2)
            scores_of_narrow_heads(shape, keys, count, block);
        else
            scores_of_wide_heads(shape, keys, count, block);
        for (std::int64_t row = 0; row < query_block; ++row) weigh_row(block, row, count, work.scale);
        memory_is_written();
        const Bf16* values = work.values + first / depth_step * value_stride;
        for (std::int64_t left = shape.value_tiles(); left > 0; left -= 3, values += 3 * tile_numbers) {
            float* const sums = block.sums + (shape.value_tiles() - left) * tile_rows;
            if (left >= 3)
                add_values<3>(values, value_stride, count, block, sums);
            else if (left == 2)
                add_values<2>(values, value_stride, count, block, sums);
            else
                add_values<1>(values, value_stride, count, block, sums);
        }
    }
    memory_is_written();
    write_result(shape, work, block);
}

}  // namespace lcm::nn::amx
