// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).
//
// Products of 8 queries at a time. Each row of P is summed up by products with ones, in 16 sums of their own.

#include "lib/core/nn/kernels/attention_parts.h"
#include "lib/core/nn/kernels/sums_avx512.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t tile_bytes = tile_numbers * static_cast<std::int64_t>(sizeof(Bf16));

inline const char* bytes(const Bf16* numbers) { return reinterpret_cast<const char*>(numbers); }

/// The sums of P's rows.
using Totals = __m512[query_block];

void find_scores(const HeadShape& shape, const Bf16* keys, std::int64_t count, const Block& block) {
    constexpr std::int64_t at_once = 4;
    const std::int64_t next = shape.depth() * tile_bytes, pairs = shape.width / pair;
    const std::int64_t stride = block.query_stride * static_cast<std::int64_t>(sizeof(Bf16));
    for (std::int64_t key = 0; key < count; key += sum_vectors * lanes)
        for (std::int64_t query = 0; query < query_block; query += sum_pixels) {
            const char* tile = bytes(keys) + key / lanes * next;
            Pixels queries(bytes(block.queries + query * block.query_stride), stride);
            Sums<> sums;
            sums.clear();
            std::int64_t i = 0;
            for (; i + at_once <= pairs; i += at_once, tile += at_once * block_bytes, queries.first += at_once * 4)
                sums.add_rows<Numbers::bf16, 0, at_once>(queries, tile, next);
            for (; i < pairs; ++i, tile += block_bytes, queries.first += 4) sums.add_rows<Numbers::bf16, 0, 1>(queries, tile, next);
            sums.store_to(block.scores + query * score_stride + key, score_stride);
        }
}

/// @param valid  keys that are not there to fill up the last tile
void weigh(Block& block, std::int64_t count, std::int64_t valid, float scale, Totals& totals) {
    constexpr short one = 0x3F80;
    for (std::int64_t row = 0; row < query_block; ++row)
        weigh_row(
            block, row, count, scale, [&](__m512 factor) { totals[row] = _mm512_mul_ps(totals[row], factor); },
            [&](__m512bh weights, std::int64_t key) {
                const __m512i ones = _mm512_maskz_set1_epi16(first_columns(valid - key), one);
                totals[row] = _mm512_dpbf16_ps(totals[row], weights, reinterpret_cast<__m512bh>(ones));
            });
}

/// O += P V for some columns of tiles.
template <std::int64_t tiles>
void add_values(const Bf16* values, std::int64_t value_stride, std::int64_t count, const Block& block, float* sums) {
    for (std::int64_t query = 0; query < query_block; query += sum_pixels, sums += sum_pixels * block.sum_stride) {
        Sums<tiles> all;
        all.load_from(sums, block.sum_stride);
        const Bf16 *weights = block.weights() + query * weight_stride, *tile = values;
        for (std::int64_t key = 0; key < count; key += depth_step, weights += depth_step, tile += value_stride)
            all.template add<Numbers::bf16>(Pixels(bytes(weights), weight_stride * static_cast<std::int64_t>(sizeof(Bf16))), bytes(tile));
        all.store_to(sums, block.sum_stride);
    }
}

void add_all_values(const HeadShape& shape, const Bf16* values, std::int64_t count, const Block& block) {
    const std::int64_t stride = shape.value_tiles() * tile_numbers;
    float* sums = block.sums;
    for (std::int64_t left = (shape.width + lanes - 1) / lanes; left > 0; left -= 3, values += 3 * tile_numbers, sums += 3 * lanes) {
        if (left >= 3)
            add_values<3>(values, stride, count, block, sums);
        else if (left == 2)
            add_values<2>(values, stride, count, block, sums);
        else
            add_values<1>(values, stride, count, block, sums);
    }
}

void attend(const HeadShape& shape, const Attend& work) {
    Block block(shape, work.scratch);
    Totals totals;
    for (__m512& total : totals) total = _mm512_setzero_ps();
    copy_queries(shape, work, block);
    for (std::int64_t first = 0; first < shape.padded_keys(); first += key_block) {
        const std::int64_t count = least(key_block, shape.padded_keys() - first);
        memory_is_written();
        find_scores(shape, work.keys + first / tile_columns * shape.depth() * tile_numbers, count, block);
        weigh(block, count, shape.keys - first, work.scale, totals);
        memory_is_written();
        add_all_values(shape, work.values + first / depth_step * shape.value_tiles() * tile_numbers, count, block);
    }
    for (std::int64_t row = 0; row < work.count; ++row)
        block.sums[row * block.sum_stride + shape.width] = _mm512_reduce_add_ps(totals[row]);
    write_result(shape, work, block);
}

void nothing() {}

}  // namespace

extern const HeadKernel head_kernel_avx512;
const HeadKernel head_kernel_avx512{nothing, nothing, attend};

}  // namespace lcm::nn::blocked
