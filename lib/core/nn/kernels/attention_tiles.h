#pragma once

#include <immintrin.h>

#include <cstring>

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/power_pairs.h"
#include "lib/core/nn/kernels/short_functions.h"

namespace lcm::nn::blocked {

/// Of `HeadKernel` (`attention_amx_packs.cc`).
HeadSizes tiled_sizes(const HeadShape& shape);
float pack_tiled_keys(TokenRows keys, const HeadShape& shape, void* packed);
void pack_tiled_values(TokenRows values, const HeadShape& shape, void* packed);

}  // namespace lcm::nn::blocked

/// `attention.h` in the tiles of AMX: 16 rows of 64 bytes, pairs of numbers along the summed dimension side by side. A column of ones
/// beside the values makes the sums of P's rows. Scores of 32 keys, two tiles of 16, become weights while the tiles multiply the next ones;
/// a pair of weights is a key of the first tile and its fellow of the second, and so it is with values.
namespace {

using lcm::nn::blocked::Attend;
using lcm::nn::blocked::HeadShape;
using lcm::nn::blocked::key_block;
using lcm::nn::blocked::query_block;
using lcm::nn::blocked::TokenRows;

constexpr std::int64_t tile_columns = 16, tile_pairs = 16, tile_numbers = 2 * tile_columns * tile_pairs;
constexpr std::int64_t pair = 2, depth_step = pair * tile_pairs;
constexpr std::int64_t score_keys = depth_step, score_numbers = query_block * score_keys;  // of S at a time
constexpr std::int64_t weight_numbers = query_block * key_block;                           // of P

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
    float* scores;  ///< two times [query_block,score_keys]
    Bf16* weights;  ///< two times [query_block,key_block]
    float* sums;    ///< [query_block,sum_stride]: O and, in column `width`, the sums of P's rows
    Bf16* queries;  ///< [query_block,query_stride]
    std::int64_t sum_stride, query_stride;
    float largest[query_block];  ///< m, of exponents that are not bounded

    Block(const TiledHead& shape, float* scratch)
        : scores(scratch),
          weights(reinterpret_cast<Bf16*>(scratch + 2 * score_numbers)),
          sums(scratch + 2 * score_numbers + weight_numbers),
          sum_stride(shape.value_tiles() * tile_columns),
          query_stride(shape.depth() * depth_step) {
        queries = reinterpret_cast<Bf16*>(sums + query_block * sum_stride);
        std::memset(sums, 0, static_cast<std::size_t>(query_block * sum_stride) * sizeof *sums);
    }
    /// Where keys from `key` on have their scores and weights; what lies there is of keys two steps or blocks before.
    float* scores_of(std::int64_t key) const { return scores + key / score_keys % 2 * score_numbers; }
    Bf16* weights_of(std::int64_t key) const { return weights + key / key_block % 2 * weight_numbers + key % key_block; }
};

/// @return the largest square of a query's length, infinite where one is not a number
inline float copy_queries(const TiledHead& shape, const Attend& work, Block& block) {
    float largest = 0;
    for (std::int64_t row = 0; row < query_block; ++row) {
        const Bf16* const query = static_cast<const Bf16*>(work.queries.first) + row * work.queries.stride;
        __m512 squares = _mm512_setzero_ps();
        for (std::int64_t c = 0; c < block.query_stride; c += depth_step) {
            const __mmask32 mask = row < work.count ? first_columns(shape.width - c) : first_columns(0);
            const __m512i numbers = _mm512_maskz_loadu_epi16(mask, query + c);
            _mm512_storeu_si512(block.queries + row * block.query_stride + c, numbers);
            squares = _mm512_dpbf16_ps(squares, reinterpret_cast<__m512bh>(numbers), reinterpret_cast<__m512bh>(numbers));
        }
        const float square = or_infinite(_mm512_reduce_add_ps(squares));
        if (square > largest) largest = square;
    }
    return largest;
}

/// Scores of 32 keys that are turned into weights row by row.
struct Weighing {
    const float* scores = nullptr;
    const float* largest = nullptr;  ///< of each row, or none of rows whose exponents are bounded
    float scale = 0;
    Bf16* weights = nullptr;
    std::int64_t next = query_block;  ///< the first row that waits

    void some(std::int64_t rows) {
        static_assert(lcm::nn::blocked::most_exponent <= largest_exponent);
        const std::int64_t end = least(query_block, next + rows);
        if (largest == nullptr)
            to(end, [scale = exponent_parts * scale](Vector low, Vector high, std::int64_t) { return power_pairs(low, high, scale); });
        else
            to(end, [this](Vector low, Vector high, std::int64_t row) {
                return pairs_of(short_exp2(low * scale - largest[row]), short_exp2(high * scale - largest[row]));
            });
    }
    void all() { some(query_block); }

private:
    template <typename Pairs>
    void to(std::int64_t end, const Pairs& pairs) {
        for (; next < end; ++next) {
            const float* const row = scores + next * score_keys;
            _mm512_store_si512(weights + next * key_block, pairs(load(row), load(row + tile_columns), next));
        }
    }
};

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
