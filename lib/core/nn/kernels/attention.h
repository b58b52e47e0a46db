#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/product.h"

/// Attention of one head in f32 or bf16 with a streaming softmax: scores never leave the first cache.
///
/// For a block of 32 queries and 128 keys at a time: S = Q K^T; P = 2^(S log2(e) / sqrt(d) - m), rounded to bf16 there; O += P V. The sums
/// of P's rows are made of the same rounded numbers that multiply V, and divide O. (Milakov and Gimelshein 2018, "Online normalizer
/// calculation for softmax"; Dao 2022, "FlashAttention".)
///
/// m keeps P in range, and is a whole number: P and O scale by it without rounding. It is 0 where |q| |k| bounds the exponents by
/// `most_exponent`, as nearly always; else a row's largest exponent, rounded up. Bounded exponents become powers in bf16 by whole numbers
/// (`power_pairs.h`).
///
/// Keys and values are packed in the order in which a kernel reads them: the tiles of AMX (`attention_tiles.h`) or vectors
/// (`attention_words.h`).
namespace lcm::nn::blocked {

constexpr std::int64_t query_block = 32, key_block = 128;

/// 2^60 times as many keys as there can be, and as large values, is far from f32's end.
constexpr float most_exponent = 60;

/// Sizes of one head: `keys` tokens of `width` numbers; width is even in bf16.
struct HeadShape {
    std::int64_t keys, width;
};

/// Rows of numbers, each `stride` numbers behind the last.
struct TokenRows {
    const void* first;
    std::int64_t stride;
};

/// What a head needs: packed keys and values in numbers of their type, working memory of a thread in f32 numbers.
struct HeadSizes {
    std::int64_t keys, values, scratch;
};

/// What `attend` reads and writes for one block of queries.
struct Attend {
    TokenRows queries;
    std::int64_t count;         ///< queries, at most `query_block`
    const void *keys, *values;  ///< packed, aligned to 64 bytes
    float key_square;           ///< what packing them returned
    float scale;                ///< of the scores, times log2(e)
    float* scratch;             ///< aligned to 64 bytes
    void* out;                  ///< [count,width]
    std::int64_t out_stride;    ///< numbers

    /// Whether no exponent can exceed `most_exponent`. @param query_square  the largest square of a query's length
    bool is_bounded(float query_square) const { return query_square * key_square * scale * scale <= most_exponent * most_exponent; }
};

/// How one kind of CPU attends.
struct HeadKernel {
    /// Before and behind the work of a thread.
    void (*begin)();
    void (*end)();
    HeadSizes (*sizes)(const HeadShape& shape);
    /// Keys and values [keys,width], at least one. @return the largest square of a key's length, infinite where one is not a number
    float (*pack_keys)(TokenRows keys, const HeadShape& shape, void* packed);
    void (*pack_values)(TokenRows values, const HeadShape& shape, void* packed);
    /// softmax(scale * queries keys^T) values
    void (*attend)(const HeadShape& shape, const Attend& work);
};

}  // namespace lcm::nn::blocked
