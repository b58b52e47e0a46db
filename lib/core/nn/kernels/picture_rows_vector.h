#pragma once

#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/picture_rows.h"
#include "lib/core/nn/kernels/short_functions.h"
#include "lib/core/nn/kernels/steps.h"

/// `picture_rows.h` for rows of one type of numbers.
namespace {

using lcm::nn::blocked::block_bytes;
using lcm::nn::blocked::Change;
using lcm::nn::blocked::Numbers;
using lcm::nn::blocked::PictureRow;

inline Vector silu_of(Vector x, const Bf16*) { return short_silu(x); }
inline Vector silu_of(Vector x, const float*) { return silu(x); }

constexpr std::int64_t pixels_at_a_time = 16;  // whose channels stay in the first cache

template <Numbers to>
constexpr std::int64_t number_bytes = to == Numbers::f32 ? 4 : to == Numbers::bf16 ? 2 : 1;

template <Numbers to>
inline void store_numbers(Vector x, const Change& change, char* block, std::int64_t vector) {
    char* const place = block + vector * lanes * number_bytes<to>;
    if constexpr (to == Numbers::f32) store(x, reinterpret_cast<float*>(place));
    if constexpr (to == Numbers::bf16) store(x, reinterpret_cast<Bf16*>(place));
    if constexpr (to == Numbers::int8) {
        const Bytes result = steps(x, change.per_step, change.zero);
        std::memcpy(place, &result, sizeof result);
    }
}

/// One block of channels from `channel` of some pixels.
template <typename From, Numbers to, bool scaled, bool silu>
void fill_block(const PictureRow& row, const Change& change, std::int64_t channel, std::int64_t pixels, const From* from, char* block) {
    constexpr std::int64_t vectors = block_bytes / number_bytes<to> / lanes;
    Lanes mask[vectors];
    Vector factor[vectors], shift[vectors];
    for (std::int64_t i = 0; i < vectors; ++i) {
        const std::int64_t first = channel + i * lanes;
        mask[i] = first_lanes(row.channels - first);
        if constexpr (scaled) {
            factor[i] = load_first(change.factor + first, mask[i]);
            shift[i] = load_first(change.shift + first, mask[i]);
        }
    }
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel, from += row.channels, block += block_bytes)
        for (std::int64_t i = 0; i < vectors; ++i) {
            Vector x = load_first(from + i * lanes, mask[i]);
            if constexpr (scaled) x = x * factor[i] + shift[i];
            if constexpr (silu) x = silu_of(x, from);
            store_numbers<to>(x, change, block, i);
        }
}

template <typename From, Numbers to, bool scaled, bool silu>
void fill(const PictureRow& row, const Change& change) {
    constexpr std::int64_t block_channels = block_bytes / number_bytes<to>;
    for (std::int64_t pixel = 0; pixel < row.width; pixel += pixels_at_a_time) {
        const std::int64_t left = row.width - pixel, pixels = left < pixels_at_a_time ? left : pixels_at_a_time;
        const From* const from = static_cast<const From*>(row.from) + pixel * row.channels;
        char* to_block = row.to + pixel * block_bytes;
        const char* const next = reinterpret_cast<const char*>(from + pixels * row.channels);
        constexpr std::int64_t share = pixels_at_a_time * block_channels * static_cast<std::int64_t>(sizeof(From));
        for (std::int64_t channel = 0; channel < row.channels; channel += block_channels, to_block += row.block) {
            fetch_near(next + channel * pixels_at_a_time * static_cast<std::int64_t>(sizeof(From)), share);
            fill_block<From, to, scaled, silu>(row, change, channel, pixels, from + channel, to_block);
        }
    }
}

template <typename From, Numbers to>
void fill_row(const PictureRow& row, const Change& change) {
    if (change.factor == nullptr) return fill<From, to, false, false>(row, change);
    return change.silu ? fill<From, to, true, true>(row, change) : fill<From, to, true, false>(row, change);
}

}  // namespace
