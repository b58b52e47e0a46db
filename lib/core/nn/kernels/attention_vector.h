#pragma once

#include "lib/core/nn/kernels/attention_words.h"
#include "lib/core/nn/kernels/power_pairs.h"
#include "lib/core/nn/kernels/short_functions.h"

/// `attention.h` with vectors: each holds one number of several queries, so that maxima and sums over keys need no look
/// from lane to lane, and a head of any width wastes nothing.
///
/// Scores are made of a few keys, word by word, times the words of queries; O of a few columns of values, key by key or pair of keys by
/// pair, times the weights of queries: both as `sums.h` has it.
namespace {

using lcm::nn::blocked::Attend;

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
            std::int64_t weighed = 0;
            if constexpr (numbers == Numbers::bf16)
                if (bounded_) weighed = this->find_weights(first, count);
            find_scores(first, weighed, count);
            if (!bounded_) raise_largest(count);
            weigh(weighed, count);
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
            if (one > square) square = one;
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

    const char* keys_from(std::int64_t key) const { return static_cast<const char*>(work_.keys) + key * shape_.words() * word_bytes; }

    /// S of keys `from` to `count` of a block: [keys][queries].
    void find_scores(std::int64_t first, std::int64_t from, std::int64_t count) {
        const char* keys = keys_from(first + from);
        for (std::int64_t key = from; key < count; key += sum_pixels, keys += sum_pixels * shape_.words() * word_bytes)
            for (std::int64_t query = 0; query < query_block; query += sum_outputs)
                find_some_scores(keys, queries_ + query * shape_.words(),
                                 [to = scores_ + key * query_block + query](Sums& sums) { sums.store_to(to); });
    }

    /// Of `sum_pixels` keys and `sum_outputs` queries.
    template <typename Use>
    inline __attribute__((always_inline)) void find_some_scores(const char* keys, const float* from, const Use& use) {
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
        use(sums);
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

    /// P of keys `from` to `count` in the place of S, a word of keys in that of its first key.
    void weigh(std::int64_t from, std::int64_t count) {
        for (std::int64_t key = from; key < count; key += in_word)
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
        keep(pairs_of(low, high), place, totals_[v]);
    }

    /// P of as many whole tiles of scores as `count` keys have, made in registers while the products of the next keys begin.
    /// @return how many keys have weights
    std::int64_t find_weights(std::int64_t first, std::int64_t count) {
        static_assert(sum_outputs == query_block && lcm::nn::blocked::most_exponent <= largest_exponent);
        Vector totals[query_vectors];  // in registers, as those of the object could not be beside what is stored
        std::memcpy(totals, totals_, sizeof totals);
        std::int64_t key = 0;
        for (; key + sum_pixels <= count; key += sum_pixels)
            find_some_scores(keys_from(first + key), queries_,
                             [&, to = scores_ + key * query_block](const Sums& sums) { weigh_sums(sums, to, totals); });
        std::memcpy(totals_, totals, sizeof totals);
        return key;
    }

    /// P of a tile of scores.
    inline __attribute__((always_inline)) void weigh_sums(const Sums& sums, float* to, Vector* totals) const {
        const float scale = exponent_parts * work_.scale;
        for_each_index<sum_pixels / 2>([&](auto pair) {
            constexpr std::int64_t key = 2 * pair.value;
            for_each_index<query_vectors>([&](auto v) {
                const __m512i pairs = power_pairs(sums.sum[key][v.value], sums.sum[key + 1][v.value], scale);
                keep(pairs, to + key * query_block + v.value * lanes, totals[v.value]);
            });
        });
    }

    static void keep(__m512i pairs, float* place, Vector& total) {
        const __m512i ones = _mm512_set1_epi16(one_bits);
        total = reinterpret_cast<Vector>(
            _mm512_dpbf16_ps(reinterpret_cast<__m512>(total), reinterpret_cast<__m512bh>(pairs), reinterpret_cast<__m512bh>(ones)));
        _mm512_store_si512(place, pairs);
    }
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
