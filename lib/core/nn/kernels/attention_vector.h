#pragma once

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/short_functions.h"
#include "lib/core/nn/kernels/sums.h"

/// `attention.h` with vectors: each holds one number of several queries, so that maxima and sums over keys need no look
/// from lane to lane, and a head of any width wastes nothing.
///
/// Everything is in words of 4 bytes: 1 number in f32, 2 in bf16. Scores are made of a few keys, word by word, times the words of queries;
/// O of a few columns of values, key by key or pair of keys by pair, times the weights of queries: both as `sums.h` has it.
namespace {

using lcm::nn::blocked::Attend;
using lcm::nn::blocked::HeadShape;
using lcm::nn::blocked::HeadSizes;
using lcm::nn::blocked::key_block;
using lcm::nn::blocked::query_block;
using lcm::nn::blocked::TokenRows;

constexpr std::int64_t word_bytes = 4, query_vectors = query_block / lanes;
constexpr std::int64_t row_queries = block_bytes / word_bytes;  // in whose order products want their numbers

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
        const Vector numbers = load_first(row + i, first_lanes(width - i));
        squares += numbers * numbers;
    }
    return sum_of(squares);
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
        if (!(square <= largest)) largest = square;  // also one that is not a number
    }
    return largest;
}

/// Words of values as bits; of bf16 those of two keys.
inline Vector words_of(const float* row, const float*, Lanes first) { return load_first(row, first); }

inline Vector words_of(const Bf16* row, const Bf16* next, Lanes first) {
    Word words = reinterpret_cast<Word>(load_first(row, first)) >> 16;
    if (next != nullptr) words |= reinterpret_cast<Word>(load_first(next, first));
    return reinterpret_cast<Vector>(words);
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
            const Vector words = words_of(row + c, has_next ? row + values.stride + c : nullptr, first_lanes(shape.width - c));
            store_first(words, to + c, first_lanes(shape.columns() - c));
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
            if (!bounded_) raise_largest(count);
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
            float* const to = queries_ + i / row_queries * shape_.words() * row_queries + i % row_queries;
            for (std::int64_t word = 0; word < shape_.words(); ++word)
                std::memcpy(to + word * row_queries, query + word * in_word, word_bytes);
        }
        bounded_ = work_.is_bounded(square);
        for (std::int64_t i = 0; i < query_vectors; ++i) {
            largest_[i] = same(bounded_ ? 0 : -__FLT_MAX__);
            totals_[i] = Vector{};
        }
    }

    /// S of `count` keys: [keys][queries].
    void find_scores(std::int64_t first, std::int64_t count) {
        const std::int64_t words = shape_.words();
        const char* keys = static_cast<const char*>(work_.keys) + first * words * word_bytes;
        for (std::int64_t key = 0; key < count; key += sum_pixels, keys += sum_pixels * words * word_bytes)
            for (std::int64_t query = 0; query < query_block; query += sum_outputs)
                find_some_scores(keys, queries_ + query * words, scores_ + key * query_block + query);
    }

    /// Of `sum_pixels` keys and `sum_outputs` queries.
    inline __attribute__((always_inline)) void find_some_scores(const char* keys, const float* from, float* to) {
        constexpr std::int64_t at_once = 4;
        const std::int64_t words = shape_.words(), next = words * block_bytes;
        const char* queries = reinterpret_cast<const char*>(from);
        Pixels rows(keys, words * word_bytes);
        Sums sums;
        sums.clear();
        std::int64_t i = 0;
        for (; i + at_once <= words; i += at_once, queries += at_once * block_bytes, rows.first += at_once * word_bytes)
            sums.add_rows<numbers, 0, at_once>(rows, queries, next);
        for (; i < words; ++i, queries += block_bytes, rows.first += word_bytes) sums.add_rows<numbers, 0, 1>(rows, queries, next);
        sums.store_to(to);
    }

    /// Rescales what queries have summed up whose largest score has grown.
    void raise_largest(std::int64_t count) {
        for (std::int64_t v = 0; v < query_vectors; ++v) {
            Vector peak = same(-__FLT_MAX__);
            for (std::int64_t key = 0; key < count; ++key) {
                const Vector score = load(scores_ + key * query_block + v * lanes);
                peak = score > peak ? score : peak;
            }
            peak *= work_.scale;
            peak += fraction(-peak);  // rounded up
            const Vector old = largest_[v], now = peak > old ? peak : old;
            if (std::memcmp(&now, &old, sizeof now) == 0) continue;
            const Vector factor = times_power(same(1), old - now);
            for (float *sum = sums_ + v * lanes, *end = sum + shape_.columns() * query_block; sum != end; sum += query_block)
                store(load(sum) * factor, sum);
            totals_[v] *= factor;
            largest_[v] = now;
        }
    }

    /// P in the place of S, a word of keys in that of its first key.
    void weigh(std::int64_t count) {
        for (std::int64_t key = 0; key < count; key += in_word)
            for (std::int64_t v = 0; v < query_vectors; ++v) {
                float* const place = scores_ + key * query_block + v * lanes;
                if constexpr (numbers == Numbers::f32) {
                    const Vector weight = exact_exp2(exponent(place, v));
                    totals_[v] += weight;
                    store(weight, place);
                } else {
                    this->weigh_pair(place, key + 1 < count, v);  // which f32 without AVX512-BF16 lacks
                }
            }
    }

    Vector exponent(const float* score, std::int64_t v) const { return load(score) * work_.scale - largest_[v]; }

#if defined(__AVX512BF16__)
    void weigh_pair(float* place, bool both, std::int64_t v) {
        const Vector low = short_exp2(exponent(place, v)), high = both ? short_exp2(exponent(place + query_block, v)) : Vector{};
        const auto halves =
            reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(high), reinterpret_cast<__m512>(low)));
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
        for (std::int64_t c = 0; c < shape_.columns(); c += sum_pixels)
            for (std::int64_t query = 0; query < query_block; query += sum_outputs)
                add_columns(values + c * word_bytes, row, count, scores_ + query, sums_ + c * query_block + query);
    }

    /// Of `sum_pixels` columns and `sum_outputs` queries. @param row  bytes from one key's values to the next's
    static inline __attribute__((always_inline)) void add_columns(const char* values, std::int64_t row, std::int64_t count,
                                                                  const float* weights, float* to) {
        Pixels columns(values, word_bytes);
        Sums sums;
        sums.load_from(to);
#pragma GCC unroll 4
        for (std::int64_t key = 0; key < count; key += in_word, weights += in_word * query_block, columns.first += row)
            sums.add_rows<numbers, 0, 1>(columns, reinterpret_cast<const char*>(weights), block_bytes);
        sums.store_to(to);
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
    float* queries_;  ///< [query_block / row_queries][words][row_queries]
    bool bounded_ = false;
    Vector largest_[query_vectors], totals_[query_vectors];
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
