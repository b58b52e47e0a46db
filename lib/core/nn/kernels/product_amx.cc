// Compiled for AMX and AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).
//
// A group's pixels are a tile's rows; 64 bytes of their channels its columns. Two groups times two tiles of weights, 16 outputs each, fill
// the registers. While the tiles multiply, the vector unit finishes the 32 pixels before and fetches the weights to come.

#include <immintrin.h>

#include "lib/core/nn/kernels/indices.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/product_parts.h"
#include "lib/core/nn/kernels/tiles_amx.h"

namespace lcm::nn::blocked {

namespace {

using amx::tile_bytes;
using amx::tile_row_bytes;
using amx::tile_rows;

constexpr std::int64_t pair_rows = 2 * tile_rows;         // pixels of two groups
constexpr std::int64_t tile_sums = tile_rows * tile_rows;  // of 32 bits
constexpr std::int64_t pair_sums = 4 * tile_sums;

/// Sums that wait to be finished: those of two groups and a panel, [2 groups][2 tiles][16][16].
struct Waiting {
    const float* sums = nullptr;
    std::int64_t out[pair_rows];    ///< of each pixel
    Finish finish[2];               ///< of each group
    std::int64_t next = pair_rows;  ///< the first pixel that is not finished
};

template <Numbers numbers, int sums, int rows, int columns>
inline void multiply_tiles() {
    if constexpr (numbers == Numbers::int8)
        multiply_int8<sums, rows, columns>();
    else
        multiply_bf16<sums, rows, columns>();
}

template <Numbers numbers, Ending ending>
inline void finish_next(const Product& product, Waiting& waiting) {
    const std::int64_t row = waiting.next++, group = row / tile_rows;
    if (waiting.out[row] == not_wanted) return;
    const float* const sums = waiting.sums + group * 2 * tile_sums + row % tile_rows * tile_rows;
    finish_stored<numbers, ending>(product, waiting.finish[group], sums, tile_sums, waiting.out[row]);
}

template <Numbers numbers, Ending ending>
class Multiplier {
public:
    Multiplier(const Product& product, const Part& part, float* scratch)
        : product_(product), part_(part), scratch_(scratch), blocks_(product.blocks_at_a_time()) {}

    void run() {
        for_each_stretch(product_, part_, [this](std::int64_t panel, std::int64_t first, std::int64_t count, const char* weights) {
            add_up(panel, first, count, weights);
        });
        finish();
    }

private:
    bool is_stored() const { return blocks_ < product_.blocks; }

    /// Blocks `first` to `first + count` of all groups with one panel.
    void add_up(std::int64_t panel, std::int64_t first, std::int64_t count, const char* weights) {
        const std::int64_t bytes_of_weights = count * product_.tap_count * panel_step_bytes;
        const std::int64_t pairs = (part_.last_group - part_.first_group + 1) / 2, steps = count * product_.tap_count;
        const std::int64_t lines = bytes_of_weights / tile_row_bytes;
        const char* const following = weights + bytes_of_weights;
        Ahead ahead{following, following + bytes_of_weights, (lines + steps * pairs - 1) / (steps * pairs)};
        for (std::int64_t pair = 0; pair < pairs; ++pair) {
            const std::int64_t group = part_.first_group + 2 * pair;
            const Place upper = place_of(product_, group);
            const bool both = group + 1 < part_.last_group;
            const Place lower = both ? place_of(product_, group + 1) : upper;
            float* const sums = scratch_ + (is_stored() ? pair : turn_++ % 2) * pair_sums;
            if (ahead.next >= ahead.end) ahead.lines = 0;
            const bool last = first + count == product_.blocks;
            if (last) prepare(panel, upper, lower, both, sums);
            multiply_pair(upper.in, lower.in, first, count, weights, sums, ahead);
            if (last) {
                waiting_ = coming_;
                waiting_.next = 0;
            }
        }
    }

    void multiply_pair(const char* upper, const char* lower, std::int64_t first, std::int64_t count, const char* weights, float* sums,
                       Ahead& ahead) {
        const std::int64_t pixel = product_.in_strides.pixel, steps = count * product_.tap_count;
        const std::int64_t finished = (pair_rows + steps - 1) / steps;
        begin(first == 0, sums);
        for (std::int64_t block = first; block < first + count; ++block)
            for (std::int64_t tap = 0; tap < product_.tap_count; ++tap, weights += panel_step_bytes) {
                const std::int64_t distance = block * product_.in_strides.block + product_.taps[tap];
                load_tile<6>(weights, tile_row_bytes);
                load_tile<4>(upper + distance, pixel);
                multiply_tiles<numbers, 0, 4, 6>();
                load_tile<7>(weights + tile_bytes, tile_row_bytes);
                load_tile<5>(lower + distance, pixel);
                multiply_tiles<numbers, 1, 4, 7>();
                multiply_tiles<numbers, 2, 5, 6>();
                multiply_tiles<numbers, 3, 5, 7>();
                ahead.fetch();
                for (std::int64_t i = 0; i < finished && waiting_.next < pair_rows; ++i) finish_next<numbers, ending>(product_, waiting_);
            }
        finish();
        memory_is_written();
        for_each_index<4>([&](auto i) { store_tile<i.value>(sums + i.value * tile_sums, tile_row_bytes); });
        memory_is_written();
    }

    void begin(bool from_zero, const float* sums) {
        for_each_index<4>([&](auto i) {
            if (from_zero)
                clear_tile<i.value>();
            else
                load_tile<i.value>(sums + i.value * tile_sums, tile_row_bytes);
        });
    }

    void finish() {
        while (waiting_.next < pair_rows) finish_next<numbers, ending>(product_, waiting_);
    }

    void prepare(std::int64_t panel, const Place& upper, const Place& lower, bool both, const float* sums) {
        const std::int64_t divisor = ending == Ending::geglu ? 2 : 1, first_output = panel * panel_outputs / divisor;
        coming_.sums = sums;
        coming_.finish[0] = Finish(product_, panel, upper.picture);
        coming_.finish[1] = Finish(product_, panel, lower.picture);
        find_outputs(product_, upper, first_output, coming_.out);
        find_outputs(product_, lower, first_output, coming_.out + tile_rows);
        if (!both)
            for (std::int64_t i = tile_rows; i < pair_rows; ++i) coming_.out[i] = not_wanted;
        fetch_outputs<numbers>(product_, coming_.out, pair_rows);
    }

    const Product& product_;
    const Part& part_;
    float* scratch_;
    std::int64_t blocks_, turn_ = 0;
    Waiting waiting_, coming_;
};

std::int64_t scratch_numbers(const Product& product, const Part& part) {
    const bool stored = product.blocks_at_a_time() < product.blocks;
    return (stored ? (part.last_group - part.first_group + 1) / 2 : 2) * pair_sums;
}

void multiply(const Product& product, const Part& part, float* scratch) {
    amx::begin_tiles();
    if (product.numbers == Numbers::int8)
        multiply_with<Multiplier, Numbers::int8>(product, part, scratch);
    else
        multiply_with<Multiplier, Numbers::bf16>(product, part, scratch);
    amx::end_tiles();
}

}  // namespace

extern const ProductKernel product_kernel_amx;
const ProductKernel product_kernel_amx{scratch_numbers, multiply};

}  // namespace lcm::nn::blocked
