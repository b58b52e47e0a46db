// Compiled for AMX and AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/product_amx.h"

#include <immintrin.h>

#include "lib/core/nn/kernels/short_functions.h"
#include "lib/core/nn/kernels/tiles_amx.h"
#include "lib/core/nn/kernels/vector.h"

namespace lcm::nn::amx {

namespace {

constexpr std::int64_t pair_rows = 2 * tile_rows;         // pixels of two groups
constexpr std::int64_t tile_sums = tile_rows * tile_rows;  // of 32 bits
constexpr std::int64_t pair_sums = 4 * tile_sums;
constexpr std::int64_t most_steps = 96;  // products of tiles with weights of 192 KiB: what the second cache holds beside the pixels

std::int64_t row_groups(const Product& product) { return (product.width + tile_rows - 1) / tile_rows; }

std::int64_t picture_groups(const Product& product) {
    if (product.joined == 0) return row_groups(product) * product.rows;
    return ((product.rows - 1) * product.joined + product.width + tile_rows - 1) / tile_rows;
}

/// Where a group begins.
struct Place {
    const char* in;
    std::int64_t picture, row, x;
};

Place place_of(const Product& product, std::int64_t group) {
    const std::int64_t picture = group / picture_groups(product), within = group % picture_groups(product);
    const char* const in = static_cast<const char*>(product.in) + picture * product.in_strides.picture;
    if (product.joined > 0) {
        const std::int64_t pixel = within * tile_rows;
        return {in + pixel * product.in_strides.pixel, picture, pixel / product.joined, pixel % product.joined};
    }
    const std::int64_t row = within / row_groups(product), x = within % row_groups(product) * tile_rows;
    return {in + row * product.in_strides.row + x * product.in_strides.pixel, picture, row, x};
}

/// Sums that wait to be finished: those of two groups and a panel, [2 groups][2 tiles][16][16].
struct Waiting {
    const float* sums = nullptr;
    Bf16* out[pair_rows];  ///< of each pixel; null: not wanted
    const float* bias[2];
    const float* scale = nullptr;
    std::int64_t next = pair_rows;  ///< the first pixel that is not finished
    __mmask32 columns = 0;
};

void find_outputs(const Product& product, const Place& place, std::int64_t first_output, Bf16** out) {
    const OutputStrides& strides = product.out_strides;
    std::int64_t row = place.row, x = place.x;
    for (std::int64_t i = 0; i < tile_rows; ++i, ++x) {
        if (product.joined > 0 && x == product.joined) {
            x = 0;
            ++row;
        }
        const bool wanted = x < product.width && row < product.rows;
        out[i] = wanted ? product.out + place.picture * strides.picture + row * strides.row + x * strides.pixel + first_output : nullptr;
    }
}

inline __mmask32 columns_of(std::int64_t count) {
    return count >= 32 ? ~__mmask32{0} : static_cast<__mmask32>((std::uint32_t{1} << count) - 1);
}

inline Vector from_bf16(__m256i bits) { return reinterpret_cast<Vector>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)); }

template <bool bytes>
inline Vector sums_at(const float* sums, const float* scale, const float* bias) {
    Vector x = load(sums);
    if constexpr (bytes) x = reinterpret_cast<Vector>(_mm512_cvtepi32_ps(_mm512_load_si512(sums))) * load(scale);
    return x + load(bias);
}

template <bool bytes, Ending ending>
inline void finish_next(const Product& product, Waiting& waiting) {
    const std::int64_t row = waiting.next++;
    Bf16* const out = waiting.out[row];
    if (out == nullptr) return;
    const std::int64_t group = row / tile_rows;
    const float *const sums = waiting.sums + group * 2 * tile_sums + row % tile_rows * tile_rows, *const bias = waiting.bias[group];
    Vector low = sums_at<bytes>(sums, waiting.scale, bias);
    Vector high = sums_at<bytes>(sums + tile_sums, waiting.scale + tile_rows, bias + tile_rows);
    if constexpr (ending == Ending::geglu) {
        low = low * short_gelu(high);
        const __m256i bits = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(low)));
        _mm256_mask_storeu_epi16(out, static_cast<__mmask16>(waiting.columns), bits);
        return;
    }
    if constexpr (ending == Ending::silu) {
        low = short_silu(low);
        high = short_silu(high);
    }
    if (product.residual != nullptr) {
        const __m512i residual = _mm512_maskz_loadu_epi16(waiting.columns, product.residual + (out - product.out));
        low += from_bf16(_mm512_castsi512_si256(residual));
        high += from_bf16(_mm512_extracti64x4_epi64(residual, 1));
    }
    const __m512bh bits = _mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(high), reinterpret_cast<__m512>(low));
    _mm512_mask_storeu_epi16(out, waiting.columns, reinterpret_cast<__m512i>(bits));
}

/// A stretch of the weights to come, fetched a few lines at a time.
struct Ahead {
    const char* next;
    const char* end;
    std::int64_t lines;  ///< at a time

    void fetch() {
        for (std::int64_t i = 0; i < lines; ++i, next += tile_row_bytes) _mm_prefetch(next, _MM_HINT_T1);
    }
};

template <bool bytes, Ending ending>
class Multiplier {
public:
    Multiplier(const Product& product, const Part& part, float* scratch)
        : product_(product), part_(part), scratch_(scratch), blocks_(blocks_at_a_time(product)) {}

    void run() {
        const std::int64_t step = product_.tap_count * panel_step_bytes;
        const auto* const weights = static_cast<const char*>(product_.weights);
        for (std::int64_t panel = part_.first_panel; panel < part_.last_panel; ++panel)
            for (std::int64_t block = 0; block < product_.blocks; block += blocks_) {
                const std::int64_t count = blocks_ < product_.blocks - block ? blocks_ : product_.blocks - block;
                add_up(panel, block, count, weights + (panel * product_.blocks + block) * step);
            }
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
                _tile_loadd(6, weights, tile_row_bytes);
                _tile_loadd(4, upper + distance, pixel);
                if constexpr (bytes)
                    _tile_dpbusd(0, 4, 6);
                else
                    _tile_dpbf16ps(0, 4, 6);
                _tile_loadd(7, weights + tile_bytes, tile_row_bytes);
                _tile_loadd(5, lower + distance, pixel);
                if constexpr (bytes) {
                    _tile_dpbusd(1, 4, 7);
                    _tile_dpbusd(2, 5, 6);
                    _tile_dpbusd(3, 5, 7);
                } else {
                    _tile_dpbf16ps(1, 4, 7);
                    _tile_dpbf16ps(2, 5, 6);
                    _tile_dpbf16ps(3, 5, 7);
                }
                ahead.fetch();
                for (std::int64_t i = 0; i < finished && waiting_.next < pair_rows; ++i) finish_next<bytes, ending>(product_, waiting_);
            }
        finish();
        memory_is_written();
        _tile_stored(0, sums, tile_row_bytes);
        _tile_stored(1, sums + tile_sums, tile_row_bytes);
        _tile_stored(2, sums + 2 * tile_sums, tile_row_bytes);
        _tile_stored(3, sums + 3 * tile_sums, tile_row_bytes);
        memory_is_written();
    }

    void begin(bool from_zero, const float* sums) {
        if (from_zero) {
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            return;
        }
        _tile_loadd(0, sums, tile_row_bytes);
        _tile_loadd(1, sums + tile_sums, tile_row_bytes);
        _tile_loadd(2, sums + 2 * tile_sums, tile_row_bytes);
        _tile_loadd(3, sums + 3 * tile_sums, tile_row_bytes);
    }

    void finish() {
        while (waiting_.next < pair_rows) finish_next<bytes, ending>(product_, waiting_);
    }

    void prepare(std::int64_t panel, const Place& upper, const Place& lower, bool both, const float* sums) {
        const std::int64_t first_sum = panel * panel_outputs, divisor = ending == Ending::geglu ? 2 : 1;
        coming_.sums = sums;
        coming_.scale = product_.scale + first_sum;
        coming_.columns = columns_of((product_.outputs - first_sum) / divisor);
        coming_.bias[0] = product_.bias + upper.picture * product_.bias_picture + first_sum;
        coming_.bias[1] = product_.bias + lower.picture * product_.bias_picture + first_sum;
        find_outputs(product_, upper, first_sum / divisor, coming_.out);
        find_outputs(product_, lower, first_sum / divisor, coming_.out + tile_rows);
        if (!both)
            for (std::int64_t i = tile_rows; i < pair_rows; ++i) coming_.out[i] = nullptr;
        fetch_outputs();
    }

    // What is written and added is far away by then: it is on its way while the tiles multiply.
    void fetch_outputs() const {
        for (const Bf16* const out : coming_.out) {
            if (out == nullptr) continue;
            _mm_prefetch(reinterpret_cast<const char*>(out), _MM_HINT_T1);
            if (product_.residual == nullptr) continue;
            _mm_prefetch(reinterpret_cast<const char*>(product_.residual + (out - product_.out)), _MM_HINT_T1);
        }
    }

    const Product& product_;
    const Part& part_;
    float* scratch_;
    std::int64_t blocks_, turn_ = 0;
    Waiting waiting_, coming_;
};

template <bool bytes>
void multiply_with(const Product& product, const Part& part, float* scratch) {
    switch (product.ending) {
        case Ending::plain:
            return Multiplier<bytes, Ending::plain>(product, part, scratch).run();
        case Ending::silu:
            return Multiplier<bytes, Ending::silu>(product, part, scratch).run();
        case Ending::geglu:
            return Multiplier<bytes, Ending::geglu>(product, part, scratch).run();
    }
}

}  // namespace

std::int64_t Product::groups() const { return picture_groups(*this) * pictures; }

std::int64_t blocks_at_a_time(const Product& product) {
    const std::int64_t most = most_steps > product.tap_count ? most_steps / product.tap_count : 1;
    const std::int64_t turns = (product.blocks + most - 1) / most;
    return (product.blocks + turns - 1) / turns;
}

std::int64_t scratch_numbers(const Product& product, const Part& part) {
    const bool stored = blocks_at_a_time(product) < product.blocks;
    return (stored ? (part.last_group - part.first_group + 1) / 2 : 2) * pair_sums;
}

void multiply(const Product& product, const Part& part, float* scratch) {
    if (product.bytes)
        multiply_with<true>(product, part, scratch);
    else
        multiply_with<false>(product, part, scratch);
}

}  // namespace lcm::nn::amx
