#pragma once

#include <immintrin.h>

#include <cstring>

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/short_functions.h"

namespace lcm::nn::blocked {

/// Of `HeadKernel` (`attention_amx_packs.cc`).
HeadSizes tiled_sizes(const HeadShape& shape);
void pack_tiled_keys(TokenRows keys, const HeadShape& shape, void* packed);
void pack_tiled_values(TokenRows values, const HeadShape& shape, void* packed);

}  // namespace lcm::nn::blocked

/// `attention.h` in the tiles of AMX: 16 rows of 64 bytes, pairs of numbers along the summed dimension side by side. A column of ones
/// beside the values makes the sums of P's rows.
namespace {

using lcm::nn::blocked::Attend;
using lcm::nn::blocked::HeadShape;
using lcm::nn::blocked::key_block;
using lcm::nn::blocked::query_block;
using lcm::nn::blocked::TokenRows;

constexpr std::int64_t tile_columns = 16, tile_pairs = 16, tile_numbers = 2 * tile_columns * tile_pairs;
constexpr std::int64_t pair = 2, depth_step = pair * tile_pairs;
constexpr std::int64_t score_stride = key_block, weight_stride = 2 * key_block;  // of S in f32 and of P in bf16, which lies in its place

inline std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

/// A head in tiles.
struct TiledHead : HeadShape {
    explicit TiledHead(const HeadShape& shape) : HeadShape(shape) {}

    /// Tiles to sum over the width.
    std::int64_t depth() const { return (width + depth_step - 1) / depth_step; }
    /// Tiles of a row of values and the column of ones.
    std::int64_t value_tiles() const { return width / tile_columns + 1; }
    std::int64_t padded_keys() const { return (keys + query_block - 1) / query_block * query_block; }
};

/// Working memory of a block, all rows a multiple of 64 bytes.
struct Block {
    float* scores;  ///< [query_block,key_block]; then the weights P
    float* sums;    ///< [query_block,sum_stride]: O and, in column `width`, the sums of P's rows
    Bf16* queries;  ///< [query_block,query_stride]
    std::int64_t sum_stride, query_stride;
    float largest[query_block];

    Block(const TiledHead& shape, float* scratch)
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

inline void copy_queries(const TiledHead& shape, const Attend& work, Block& block) {
    for (std::int64_t row = 0; row < query_block; ++row) {
        const Bf16* const query = static_cast<const Bf16*>(work.queries.first) + row * work.queries.stride;
        for (std::int64_t c = 0; c < block.query_stride; c += tile_columns) {
            const __mmask16 mask = row < work.count ? first_lanes(shape.width - c) : first_lanes(0);
            const __m256i numbers = _mm256_maskz_loadu_epi16(mask, query + c);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(block.queries + row * block.query_stride + c), numbers);
        }
    }
}

/// Turns a row of scores into weights, and rescales what the row has summed up where its largest score has grown.
inline void weigh_row(Block& block, std::int64_t row, std::int64_t count, float scale) {
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
        block.largest[row] = largest;
    }
    const __m512 factor = _mm512_set1_ps(scale), shift = _mm512_set1_ps(-block.largest[row]);
    Bf16* const weights = block.weights() + row * weight_stride;
    for (std::int64_t key = 0; key < count; key += 2 * tile_columns) {
        const __m512 low = short_exp2(_mm512_fmadd_ps(_mm512_load_ps(scores + key), factor, shift));
        const __m512 high = short_exp2(_mm512_fmadd_ps(_mm512_load_ps(scores + key + tile_columns), factor, shift));
        const __m512bh both = _mm512_cvtne2ps_pbh(high, low);
        _mm512_store_si512(weights + key, reinterpret_cast<__m512i>(both));
    }
}

inline void write_result(const TiledHead& shape, const Attend& work, const Block& block) {
    for (std::int64_t row = 0; row < work.count; ++row) {
        const float* const sums = block.sums + row * block.sum_stride;
        Bf16* const out = static_cast<Bf16*>(work.out) + row * work.out_stride;
        const __m512 factor = _mm512_set1_ps(1 / sums[shape.width]);
        for (std::int64_t c = 0; c < shape.width; c += tile_columns) {
            const __m256bh mean = _mm512_cvtneps_pbh(_mm512_mul_ps(_mm512_load_ps(sums + c), factor));
            _mm256_mask_storeu_epi16(out + c, first_lanes(shape.width - c), reinterpret_cast<__m256i>(mean));
        }
    }
}

}  // namespace
