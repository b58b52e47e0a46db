#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/tiles_amx.h"
#include "lib/core/nn/kernels/vector_kernels.h"

/// Attention of one head in bf16 on the tiles of AMX, with a streaming softmax: scores never leave the first cache.
///
/// For a block of 32 queries and 128 keys at a time: S = Q K^T in tiles of 16 x 16; m = the largest score so far, rounded up to a whole
/// power of two, so that what was summed up before is scaled without rounding; P = 2^(S log2(e) / sqrt(d) - m) in bf16, in the place of S;
/// O += P V. A column of ones beside V makes the sum of P's rows, of the same rounded numbers that multiply V. (Milakov and Gimelshein
/// 2018, "Online normalizer calculation for softmax"; Dao 2022, "FlashAttention".)
///
/// Keys and values are packed in the order in which the tile product reads them: pairs of numbers along the summed dimension side by side.
namespace lcm::nn::amx {

constexpr std::int64_t tile_pairs = 16, tile_numbers = 2 * tile_rows * tile_pairs;
constexpr std::int64_t query_block = 2 * tile_rows, key_block = 128;

/// Sizes of one head: `keys` tokens of `width` numbers; width is even.
struct HeadShape {
    std::int64_t keys, width;

    /// Tile products to sum over the width.
    constexpr std::int64_t depth() const { return (width + 2 * tile_pairs - 1) / (2 * tile_pairs); }
    /// Tiles of a row of values and the column of ones.
    constexpr std::int64_t value_tiles() const { return width / tile_rows + 1; }
    constexpr std::int64_t padded_keys() const { return (keys + query_block - 1) / query_block * query_block; }
    constexpr std::int64_t packed_keys() const { return padded_keys() / tile_rows * depth() * tile_numbers; }
    constexpr std::int64_t packed_values() const { return padded_keys() / query_block * value_tiles() * tile_numbers; }
    /// f32 numbers of working memory a thread.
    constexpr std::int64_t scratch() const { return query_block * (key_block + value_tiles() * tile_rows + depth() * tile_pairs); }
};

/// Rows of bf16 numbers, each `stride` numbers behind the last.
struct TokenRows {
    const Bf16* first;
    std::int64_t stride;
};

/// Keys [keys,width] as `packed_keys()` numbers. Keys that fill up the last tile are copies of the last one: they raise no maximum.
void pack_keys(TokenRows keys, const HeadShape& shape, Bf16* packed);
/// Values [keys,width] as `packed_values()` numbers; what fills up is zero.
void pack_values(TokenRows values, const HeadShape& shape, Bf16* packed);

/// What `attend` reads and writes for one block of queries.
struct Attend {
    TokenRows queries;
    std::int64_t count;         ///< queries, at most `query_block`
    const Bf16 *keys, *values;  ///< packed
    float scale;                ///< of the scores, times log2(e)
    float* scratch;             ///< aligned to 64 bytes
    Bf16* out;                  ///< [count,width]
    std::int64_t out_stride;
};

/// softmax(scale * queries keys^T) values. Only between `begin_tiles` and `end_tiles` of the same thread.
void attend(const HeadShape& shape, const Attend& work);

}  // namespace lcm::nn::amx
