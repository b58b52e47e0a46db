#pragma once

#include <immintrin.h>

#include <cstring>

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/short_functions.h"

/// What the kernels of `attention.h` share. As in `vector.h`, every compilation has its own copy.
namespace {

using lcm::nn::blocked::Attend;
using lcm::nn::blocked::HeadShape;
using lcm::nn::blocked::key_block;
using lcm::nn::blocked::query_block;
using lcm::nn::blocked::tile_columns;
using lcm::nn::blocked::tile_numbers;
using lcm::nn::blocked::tile_pairs;

constexpr std::int64_t pair = 2, depth_step = pair * tile_pairs;
constexpr std::int64_t score_stride = key_block, weight_stride = 2 * key_block;  // of S in f32 and of P in bf16, which lies in its place

inline std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

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
          sum_stride(shape.value_tiles() * tile_columns),
          query_stride(shape.depth() * depth_step) {
        queries = reinterpret_cast<Bf16*>(sums + query_block * sum_stride);
        for (float& each : largest) each = -__FLT_MAX__;
        std::memset(sums, 0, static_cast<std::size_t>(query_block * sum_stride) * sizeof *sums);
    }
    Bf16* weights() const { return reinterpret_cast<Bf16*>(scores); }
};

inline void copy_queries(const HeadShape& shape, const Attend& work, Block& block) {
    for (std::int64_t row = 0; row < query_block; ++row)
        for (std::int64_t c = 0; c < block.query_stride; c += tile_columns) {
            const __mmask16 mask = row < work.count ? first_lanes(shape.width - c) : first_lanes(0);
            const __m256i numbers = _mm256_maskz_loadu_epi16(mask, work.queries.first + row * work.queries.stride + c);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(block.queries + row * block.query_stride + c), numbers);
        }
}

/// Turns a row of scores into weights, and rescales what the row has summed up where its largest score has grown.
/// @param rescale  called with the factor, if what else is summed up must be rescaled
/// @param each  called with every 32 weights and their first key
template <typename Rescale, typename Each>
inline void weigh_row(Block& block, std::int64_t row, std::int64_t count, float scale, const Rescale& rescale, const Each& each) {
    const float* const scores = block.scores + row * score_stride;
    __m512 even = _mm512_load_ps(scores), odd = _mm512_load_ps(scores + tile_columns);
    for (std::int64_t key = 2 * tile_columns; key < count; key += 2 * tile_columns) {
        even = _mm512_max_ps(even, _mm512_load_ps(scores + key));
        odd = _mm512_max_ps(odd, _mm512_load_ps(scores + key + tile_columns));
    }
    const float largest = __builtin_ceilf(_mm512_reduce_max_ps(_mm512_max_ps(even, odd)) * scale);
    if (largest > block.largest[row]) {
        const __m512 factor = _mm512_scalef_ps(_mm512_set1_ps(1), _mm512_set1_ps(block.largest[row] - largest));
        float* const sums = block.sums + row * block.sum_stride;
        for (std::int64_t c = 0; c < block.sum_stride; c += tile_columns)
            _mm512_store_ps(sums + c, _mm512_mul_ps(_mm512_load_ps(sums + c), factor));
        rescale(factor);
        block.largest[row] = largest;
    }
    const __m512 factor = _mm512_set1_ps(scale), shift = _mm512_set1_ps(-block.largest[row]);
    Bf16* const weights = block.weights() + row * weight_stride;
    for (std::int64_t key = 0; key < count; key += 2 * tile_columns) {
        const __m512 low = short_exp2(_mm512_fmadd_ps(_mm512_load_ps(scores + key), factor, shift));
        const __m512 high = short_exp2(_mm512_fmadd_ps(_mm512_load_ps(scores + key + tile_columns), factor, shift));
        const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
        _mm512_store_si512(weights + key, reinterpret_cast<__m512i>(both));
        each(both, key);
    }
}

inline void write_result(const HeadShape& shape, const Attend& work, const Block& block) {
    for (std::int64_t row = 0; row < work.count; ++row) {
        const float* const sums = block.sums + row * block.sum_stride;
        const __m512 factor = _mm512_set1_ps(1 / sums[shape.width]);
        for (std::int64_t c = 0; c < shape.width; c += tile_columns) {
            const __m256bh mean = _mm512_cvtneps_pbh(_mm512_mul_ps(_mm512_load_ps(sums + c), factor));
            _mm256_mask_storeu_epi16(work.out + row * work.out_stride + c, first_lanes(shape.width - c), reinterpret_cast<__m256i>(mean));
        }
    }
}

}  // namespace
