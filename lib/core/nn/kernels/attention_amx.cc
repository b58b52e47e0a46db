// Compiled for AMX and AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).
//
// Products in tiles of 16 x 16.

#include "lib/core/nn/kernels/attention_tiles.h"
#include "lib/core/nn/kernels/indices.h"
#include "lib/core/nn/kernels/tiles_amx.h"

namespace lcm::nn::blocked {

namespace {

using amx::tile_row_bytes;
using amx::tile_rows;

constexpr std::int64_t most_value_tiles = 3;  // whose sums fit the registers

class HeadAttention {
public:
    HeadAttention(const HeadShape& shape, const Attend& work) : shape_(shape), work_(work), block_(shape_, work.scratch) {
        const float square = copy_queries(shape_, work, block_);
        memory_is_written();
        if (!work.is_bounded(square)) find_largest();
    }

    void run() {
        std::int64_t key = 0;
        for (; key < shape_.padded_keys(); key += score_keys) {
            find_scores(key);
            waiting_.all();
            wait_for(key);
            if (key > 0 && key % key_block == 0) add_values(key - key_block, key_block);
        }
        waiting_.all();
        const std::int64_t last = (key - 1) / key_block * key_block;
        add_values(last, key - last);
        memory_is_written();
        write_result(shape_, work_, block_);
    }

private:
    /// S of 32 keys from `key` on: two tiles of queries times two of keys.
    void find_scores(std::int64_t key) {
        const std::int64_t stride = block_.query_stride * static_cast<std::int64_t>(sizeof(Bf16)), depth = shape_.depth();
        const Bf16* const upper = static_cast<const Bf16*>(work_.keys) + key / tile_rows * depth * tile_numbers;
        const Bf16* const lower = upper + depth * tile_numbers;
        const Bf16* const queries = block_.queries;
        for_each_index<4>([](auto sum) { clear_tile<sum.value>(); });
        for (std::int64_t step = 0; step < depth; ++step) {
            load_tile<4>(queries + step * depth_step, stride);
            load_tile<6>(upper + step * tile_numbers, tile_row_bytes);
            multiply_bf16<0, 4, 6>();
            load_tile<7>(lower + step * tile_numbers, tile_row_bytes);
            multiply_bf16<1, 4, 7>();
            load_tile<5>(queries + tile_rows * block_.query_stride + step * depth_step, stride);
            multiply_bf16<2, 5, 6>();
            multiply_bf16<3, 5, 7>();
            waiting_.some((query_block + depth - 1) / depth);
        }
        for_each_index<4>([&](auto sum) {
            float* const rows = block_.scores_of(key) + sum.value / 2 * tile_rows * score_keys;
            store_tile<sum.value>(rows + sum.value % 2 * tile_rows, score_keys * sizeof(float));
        });
        memory_is_written();
    }

    void wait_for(std::int64_t key) {
        waiting_ = {.scores = block_.scores_of(key),
                    .largest = largest_,
                    .scale = work_.scale,
                    .weights = block_.weights_of(key),
                    .next = 0};
    }

    /// The largest exponent of each row, rounded up.
    void find_largest() {
        __m512 peaks[query_block];
        for (__m512& peak : peaks) peak = _mm512_set1_ps(-__FLT_MAX__);
        for (std::int64_t key = 0; key < shape_.padded_keys(); key += score_keys) {
            find_scores(key);
            const float* scores = block_.scores_of(key);
            for (std::int64_t row = 0; row < query_block; ++row, scores += score_keys)
                peaks[row] = _mm512_max_ps(peaks[row], _mm512_max_ps(_mm512_load_ps(scores), _mm512_load_ps(scores + tile_columns)));
        }
        for (std::int64_t row = 0; row < query_block; ++row)
            block_.largest[row] = __builtin_ceilf(_mm512_reduce_max_ps(peaks[row]) * work_.scale);
        largest_ = block_.largest;
    }

    /// O += P V of `count` keys from `first` on.
    void add_values(std::int64_t first, std::int64_t count) {
        const std::int64_t value_stride = shape_.value_tiles() * tile_numbers;
        const Bf16* values = static_cast<const Bf16*>(work_.values) + first / depth_step * value_stride;
        memory_is_written();
        for (std::int64_t left = shape_.value_tiles(); left > 0; left -= most_value_tiles, values += most_value_tiles * tile_numbers) {
            float* const sums = block_.sums + (shape_.value_tiles() - left) * tile_rows;
            if (left >= 3)
                add_columns<3>(values, block_.weights_of(first), count, sums);
            else if (left == 2)
                add_columns<2>(values, block_.weights_of(first), count, sums);
            else
                add_columns<1>(values, block_.weights_of(first), count, sums);
        }
    }

    /// Of `tiles` columns of tiles; sums in tiles 0 to 5, each second one of the lower queries.
    template <int tiles>
    void add_columns(const Bf16* values, const Bf16* weights, std::int64_t count, float* sums) {
        constexpr std::int64_t row = key_block * sizeof(Bf16), half = tile_rows * key_block;
        const std::int64_t stride = block_.sum_stride * static_cast<std::int64_t>(sizeof(float));
        const auto sums_of = [&](auto sum) { return sums + (sum.value % 2 * block_.sum_stride + sum.value / 2) * tile_rows; };
        const std::int64_t share = query_block * depth_step * tiles / (count * shape_.value_tiles()) + 1;
        for_each_index<2 * tiles>([&](auto sum) { load_tile<sum.value>(sums_of(sum), stride); });
        for (std::int64_t key = 0; key < count; key += depth_step, weights += depth_step, values += shape_.value_tiles() * tile_numbers) {
            for_each_index<tiles>([&](auto tile) {
                // The lower queries follow the upper ones, then the upper the lower ones: each second weight is there already.
                constexpr int first = tile.value % 2, second = 1 - first;
                load_tile<7>(values + tile.value * tile_numbers, tile_row_bytes);
                if constexpr (tile.value == 0) load_tile<6>(weights, row);
                multiply_bf16<2 * tile.value + first, 6, 7>();
                load_tile<6>(weights + second * half, row);
                multiply_bf16<2 * tile.value + second, 6, 7>();
            });
            waiting_.some(share);
        }
        for_each_index<2 * tiles>([&](auto sum) { store_tile<sum.value>(sums_of(sum), stride); });
    }

    const TiledHead shape_;
    const Attend& work_;
    Block block_;
    const float* largest_ = nullptr;  ///< m of each row, or none where exponents are bounded
    Weighing waiting_;
};

void attend(const HeadShape& shape, const Attend& work) { HeadAttention(shape, work).run(); }

}  // namespace

extern const HeadKernel head_kernel_amx;
const HeadKernel head_kernel_amx{amx::begin_tiles, amx::end_tiles, tiled_sizes, pack_tiled_keys, pack_tiled_values, attend};

}  // namespace lcm::nn::blocked
