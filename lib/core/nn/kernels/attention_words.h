#pragma once

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/sums.h"

/// How `attention_vector.h` wants its keys and values: in words of 4 bytes, 1 number in f32, 2 in bf16.
namespace {

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

/// The square of a row's length, infinite where it is not a number.
template <typename Number>
float square_of(const Number* row, std::int64_t width) {
    Vector squares{};
    for (std::int64_t i = 0; i < width; i += lanes) {
        const Vector numbers = load_first(row + i, first_lanes(width - i));
        squares += numbers * numbers;
    }
    return or_infinite(sum_of(squares));
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
        if (square > largest) largest = square;
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

}  // namespace
