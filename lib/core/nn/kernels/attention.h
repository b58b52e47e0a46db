#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/vector_kernels.h"

/// Attention of one head in bf16 with a streaming softmax: scores never leave the first cache.
///
/// For a block of 32 queries and 128 keys at a time: S = Q K^T; m = the largest score so far, rounded up to a whole
/// power of two, so that what was summed up before is scaled without rounding; P = 2^(S log2(e) / sqrt(d) - m) in bf16, in the place of S;
/// O += P V. The sums of P's rows are made of the same rounded numbers that multiply V. (Milakov and Gimelshein
/// 2018, "Online normalizer calculation for softmax"; Dao 2022, "FlashAttention".)
///
/// Keys and values are packed in the order in which the tiles of AMX (`attention_amx.cc`) and the vectors of AVX512 (`attention_avx512.cc`)
/// both read them: in tiles of 16 rows, pairs of numbers along the summed dimension side by side.
namespace lcm::nn::blocked {

constexpr std::int64_t tile_columns = 16, tile_pairs = 16, tile_numbers = 2 * tile_columns * tile_pairs;
constexpr std::int64_t query_block = 2 * tile_columns, key_block = 128;

/// Sizes of one head: `keys` tokens of `width` numbers; width is even.
struct HeadShape {
    std::int64_t keys, width;

    /// Tiles to sum over the width.
    constexpr std::int64_t depth() const { return (width + 2 * tile_pairs - 1) / (2 * tile_pairs); }
    /// Tiles of a row of values and the column of ones.
    constexpr std::int64_t value_tiles() const { return width / tile_columns + 1; }
    constexpr std::int64_t padded_keys() const { return (keys + query_block - 1) / query_block * query_block; }
    constexpr std::int64_t packed_keys() const { return padded_keys() / tile_columns * depth() * tile_numbers; }
    constexpr std::int64_t packed_values() const { return padded_keys() / query_block * value_tiles() * tile_numbers; }
    /// f32 numbers of working memory a thread.
    constexpr std::int64_t scratch() const { return query_block * (key_block + value_tiles() * tile_columns + depth() * tile_pairs); }
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

/// How one kind of CPU attends.
struct HeadKernel {
    /// Before and behind the work of a thread.
    void (*begin)();
    void (*end)();
    /// softmax(scale * queries keys^T) values
    void (*attend)(const HeadShape& shape, const Attend& work);
};

/// That of this process, at least AVX512-BF16.
const HeadKernel& head_kernel();

}  // namespace lcm::nn::blocked
