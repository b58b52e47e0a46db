// Compiled for AMX and AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).
//
// Products in tiles of 16 x 16.

#include "lib/core/nn/kernels/attention_tiles.h"
#include "lib/core/nn/kernels/tiles_amx.h"

namespace lcm::nn::blocked {

namespace {

using amx::tile_rows;

constexpr std::int64_t weight_half = tile_rows * weight_stride;

/// Scores of heads up to 64 wide: the queries stay in tiles 4 to 7.
void scores_of_narrow_heads(const TiledHead& shape, const Bf16* keys, std::int64_t count, const Block& block) {
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
void scores_of_wide_heads(const TiledHead& shape, const Bf16* keys, std::int64_t count, const Block& block) {
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

void attend(const HeadShape& given, const Attend& work) {
    const TiledHead shape(given);
    Block block(shape, work.scratch);
    copy_queries(shape, work, block);
    const std::int64_t value_stride = shape.value_tiles() * tile_numbers;
    for (std::int64_t first = 0; first < shape.padded_keys(); first += key_block) {
        const std::int64_t count = least(key_block, shape.padded_keys() - first);
        const Bf16* const keys = static_cast<const Bf16*>(work.keys) + first / tile_rows * shape.depth() * tile_numbers;
        memory_is_written();
        if (shape.depth() <= 2)
            scores_of_narrow_heads(shape, keys, count, block);
        else
            scores_of_wide_heads(shape, keys, count, block);
        for (std::int64_t row = 0; row < query_block; ++row)
            weigh_row(block, row, count, work.scale);
        memory_is_written();
        const Bf16* values = static_cast<const Bf16*>(work.values) + first / depth_step * value_stride;
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

}  // namespace

extern const HeadKernel head_kernel_amx;
const HeadKernel head_kernel_amx{amx::begin_tiles, amx::end_tiles, tiled_sizes, pack_tiled_keys, pack_tiled_values, attend};

}  // namespace lcm::nn::blocked
