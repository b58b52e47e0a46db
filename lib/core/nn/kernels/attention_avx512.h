#pragma once

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/short_functions.h"
#include "lib/core/nn/kernels/sums_avx512.h"

/// `attention.h` with the vectors of AVX512: every vector holds one number of 16 queries, so that maxima and sums over keys need no look
/// from lane to lane, and a head of any width wastes nothing.
///
/// Everything is in words of 4 bytes: 1 number in f32, 2 in bf16. Scores are made of 8 keys, word by word, times the words of 32 queries;
/// O of 8 columns of values, key by key or pair of keys by pair, times the weights of 32 queries: both as `sums_avx512.h` has it.
namespace {

using lcm::nn::blocked::Attend;
using lcm::nn::blocked::HeadShape;
using lcm::nn::blocked::HeadSizes;
using lcm::nn::blocked::key_block;
using lcm::nn::blocked::most_exponent;
using lcm::nn::blocked::query_block;
using lcm::nn::blocked::TokenRows;

constexpr std::int64_t word_bytes = 4, query_vectors = sum_vectors;

inline std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

template <Numbers numbers>
struct NumberOf {
    using Type = float;
};
template <>
struct NumberOf<Numbers::bf16> {
    using Type = Bf16;
};

/// A head whose numbers lie in words.
template <Numbers numbers>
struct WordedHead : HeadShape {
    using Number = typename NumberOf<numbers>::Type;
    static constexpr std::int64_t in_word = word_bytes / static_cast<std::int64_t>(sizeof(Number));

    explicit WordedHead(const HeadShape& shape) : HeadShape(shape) {}

    std::int64_t words() const { return width / in_word; }
    std::int64_t padded_keys() const { return round_up(keys, sum_pixels); }
    /// Of values, in the order [keys in words][columns]: a word is a column of as many keys.
    std::int64_t columns() const { return round_up(width, sum_pixels); }
    HeadSizes sizes() const {
        return {.keys = padded_keys() * width,
                .values = round_up(keys, in_word) * columns(),
                .scratch = query_block * (key_block + columns() + words())};
    }
};

template <Numbers numbers>
HeadSizes worded_sizes(const HeadShape& shape) {
    return WordedHead<numbers>(shape).sizes();
}

/// The square of a row's length.
template <typename Number>
float square_of(const Number* row, std::int64_t width) {
    Vector squares{};
    for (std::int64_t i = 0; i < width; i += lanes) {
        const Vector numbers = load_masked(row + i, first_lanes(width - i));
        squares += numbers * numbers;
    }
    return _mm512_reduce_add_ps(reinterpret_cast<__m512>(squares));
}

/// Side by side; behind the last key come copies of it, which raise no maximum.
template <Numbers numbers>
float pack_worded_keys(TokenRows keys, const HeadShape& given, void* packed) {
    using Number = typename NumberOf<numbers>::Type;
    const WordedHead<numbers> shape(given);
    float largest = 0;
    for (std::int64_t key = 0; key < shape.padded_keys(); ++key) {
        const Number* const row = static_cast<const Number*>(keys.first) + (key < shape.keys ? key : shape.keys - 1) * keys.stride;
        std::memcpy(static_cast<Number*>(packed) + key * shape.width, row, static_cast<std::size_t>(shape.width) * sizeof(Number));
        const float square = square_of(row, shape.width);
        if (!(square <= largest)) largest = square;
    }
    return largest;
}

inline __m512i words_of(const float* row, const float*, __mmask16 mask) { return _mm512_castps_si512(_mm512_maskz_loadu_ps(mask, row)); }

inline __m512i words_of(const Bf16* row, const Bf16* next, __mmask16 mask) {
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, row));
    if (next == nullptr) return low;
    return _mm512_or_si512(low, _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, next)), 16));
}

/// What fills up is zero.
template <Numbers numbers>
void pack_worded_values(TokenRows values, const HeadShape& given, void* packed) {
    using Number = typename NumberOf<numbers>::Type;
    const WordedHead<numbers> shape(given);
    auto* to = static_cast<float*>(packed);
    for (std::int64_t key = 0; key < shape.keys; key += shape.in_word, to += shape.columns()) {
        const Number* const row = static_cast<const Number*>(values.first) + key * values.stride;
        const bool has_next = shape.in_word == 2 && key + 1 < shape.keys;
        for (std::int64_t c = 0; c < shape.columns(); c += lanes) {
            const __m512i words = words_of(row + c, has_next ? row + values.stride + c : nullptr, first_lanes(shape.width - c));
            _mm512_mask_storeu_epi32(to + c, first_lanes(shape.columns() - c), words);
        }
    }
}

/// One block of queries.
template <Numbers numbers>
class HeadAttention {
public:
    HeadAttention(const HeadShape& shape, const Attend& work)
        : shape_(shape),
          work_(work),
          scores_(work.scratch),
          sums_(scores_ + key_block * query_block),
          queries_(sums_ + shape_.columns() * query_block) {}

    void run() {
        begin();
        for (std::int64_t first = 0; first < shape_.keys; first += key_block) {
            const std::int64_t left = shape_.keys - first, count = left < key_block ? left : key_block;
            memory_is_written();
            find_scores(first, count);
            if (!bounded_) raise_largest();
            weigh(count);
            memory_is_written();
            add_values(first, count);
        }
        write();
    }

private:
    static_assert(query_vectors * lanes == query_block);
    using Number = typename NumberOf<numbers>::Type;
    static constexpr std::int64_t in_word = WordedHead<numbers>::in_word;

    void begin() {
        std::memset(sums_, 0, static_cast<std::size_t>(shape_.columns() * query_block) * sizeof *sums_);
        std::memset(queries_, 0, static_cast<std::size_t>(shape_.words() * query_block) * sizeof *queries_);
        float square = 0;
        for (std::int64_t i = 0; i < work_.count; ++i) {
            const Number* const query = static_cast<const Number*>(work_.queries.first) + i * work_.queries.stride;
            const float one = square_of(query, shape_.width);
            if (!(one <= square)) square = one;
            float* const to = queries_ + i / lanes * shape_.words() * lanes + i % lanes;
            for (std::int64_t word = 0; word < shape_.words(); ++word) std::memcpy(to + word * lanes, query + word * in_word, word_bytes);
        }
        bounded_ = square * work_.key_square * work_.scale * work_.scale <= most_exponent * most_exponent;
        for (std::int64_t i = 0; i < query_vectors; ++i) {
            largest_[i] = same(bounded_ ? 0 : -__FLT_MAX__);
            totals_[i] = Vector{};
        }
    }

    /// S of `count` keys: [keys][queries].
    void find_scores(std::int64_t first, std::int64_t count) {
        constexpr std::int64_t at_once = 4;
        const std::int64_t words = shape_.words(), next = words * block_bytes;
        const char* keys = static_cast<const char*>(work_.keys) + first * words * word_bytes;
        for (Vector& peak : peaks_) peak = same(-__FLT_MAX__);
        for (std::int64_t key = 0; key < count; key += sum_pixels, keys += sum_pixels * words * word_bytes) {
            Pixels rows(keys, words * word_bytes);
            const char* queries = reinterpret_cast<const char*>(queries_);
            Sums sums;
            sums.clear();
            std::int64_t i = 0;
            for (; i + at_once <= words; i += at_once, queries += at_once * block_bytes, rows.first += at_once * word_bytes)
                sums.add_rows<numbers, 0, at_once>(rows, queries, next);
            for (; i < words; ++i, queries += block_bytes, rows.first += word_bytes) sums.add_rows<numbers, 0, 1>(rows, queries, next);
            sums.store_to(scores_ + key * query_block);
            if (bounded_) continue;
            sums.for_each([this](Vector score, auto, auto v) {
                Vector& peak = peaks_[v.value];
                peak = score > peak ? score : peak;
            });
        }
    }

    /// Rescales what queries have summed up whose largest score has grown.
    void raise_largest() {
        for (std::int64_t v = 0; v < query_vectors; ++v) {
            const __m512 old = reinterpret_cast<__m512>(largest_[v]);
            const __m512 peak = _mm512_roundscale_ps(reinterpret_cast<__m512>(peaks_[v] * work_.scale), _MM_FROUND_TO_POS_INF);
            if (_mm512_cmp_ps_mask(peak, old, _CMP_GT_OQ) == 0) continue;
            const __m512 now = _mm512_max_ps(peak, old), factor = _mm512_scalef_ps(_mm512_set1_ps(1), _mm512_sub_ps(old, now));
            for (float *sum = sums_ + v * lanes, *end = sum + shape_.columns() * query_block; sum != end; sum += query_block)
                _mm512_store_ps(sum, _mm512_mul_ps(_mm512_load_ps(sum), factor));
            totals_[v] *= reinterpret_cast<Vector>(factor);
            largest_[v] = reinterpret_cast<Vector>(now);
        }
    }

    /// P in the place of S, a word of keys in that of its first key.
    void weigh(std::int64_t count) {
        for (std::int64_t key = 0; key < count; key += in_word)
            for (std::int64_t v = 0; v < query_vectors; ++v) {
                float* const place = scores_ + key * query_block + v * lanes;
                if constexpr (numbers == Numbers::f32) {
                    const Vector weight = reinterpret_cast<Vector>(exact_exp2(exponent(place, v)));
                    totals_[v] += weight;
                    store(weight, place);
                } else {
                    this->weigh_pair(place, key + 1 < count, v);  // which f32 without AVX512-BF16 lacks
                }
            }
    }

    __m512 exponent(const float* score, std::int64_t v) const {
        return reinterpret_cast<__m512>(load(score) * work_.scale - largest_[v]);
    }

#if defined(__AVX512BF16__)
    void weigh_pair(float* place, bool both, std::int64_t v) {
        const __m512 low = short_exp2(exponent(place, v));
        const __m512 high = both ? short_exp2(exponent(place + query_block, v)) : _mm512_setzero_ps();
        const __m512i halves = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
        const __m512i pairs = _mm512_permutexvar_epi16(in_turns_, halves), ones = _mm512_set1_epi16(0x3F80);
        totals_[v] = reinterpret_cast<Vector>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(totals_[v]), reinterpret_cast<__m512bh>(pairs),
                                                               reinterpret_cast<__m512bh>(ones)));
        _mm512_store_si512(place, pairs);
    }

    /// Number i of the first half beside number i of the second.
    const __m512i in_turns_ = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19,
                                               3, 18, 2, 17, 1, 16, 0);
#endif

    /// O += P V: [columns][queries].
    void add_values(std::int64_t first, std::int64_t count) {
        const std::int64_t row = shape_.columns() * word_bytes;
        const char* const values = static_cast<const char*>(work_.values) + first / in_word * row;
        for (std::int64_t c = 0; c < shape_.columns(); c += sum_pixels) {
            float* const sum = sums_ + c * query_block;
            Pixels columns(values + c * word_bytes, word_bytes);
            Sums all;
            all.load_from(sum);
            const float* weights = scores_;
#pragma GCC unroll 4
            for (std::int64_t key = 0; key < count; key += in_word, weights += in_word * query_block, columns.first += row)
                all.add_rows<numbers, 0, 1>(columns, reinterpret_cast<const char*>(weights), block_bytes);
            all.store_to(sum);
        }
    }

    void write() {
        for (Vector& total : totals_) total = 1.0F / total;
        for (std::int64_t c = 0; c < shape_.width; ++c) {
            alignas(block_bytes) Number means[query_block];
            for (std::int64_t v = 0; v < query_vectors; ++v)
                store(load(sums_ + c * query_block + v * lanes) * totals_[v], means + v * lanes);
            Number* to = static_cast<Number*>(work_.out) + c;
            for (std::int64_t i = 0; i < work_.count; ++i, to += work_.out_stride) *to = means[i];
        }
    }

    const WordedHead<numbers> shape_;
    const Attend& work_;
    float* scores_;   ///< [key_block][query_block]
    float* sums_;     ///< [columns][query_block]
    float* queries_;  ///< [query_vectors][words][lanes]
    bool bounded_ = false;
    Vector peaks_[query_vectors], largest_[query_vectors], totals_[query_vectors];
};

template <Numbers numbers>
void attend(const HeadShape& shape, const Attend& work) {
    HeadAttention<numbers>(shape, work).run();
}

/// What a thread does before and behind.
inline void nothing() {}

template <Numbers numbers>
constexpr lcm::nn::blocked::HeadKernel worded_kernel{nothing,
                                                     nothing,
                                                     worded_sizes<numbers>,
                                                     pack_worded_keys<numbers>,
                                                     pack_worded_values<numbers>,
                                                     attend<numbers>};

}  // namespace
