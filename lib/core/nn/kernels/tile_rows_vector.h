#pragma once

#include "lib/core/nn/kernels/tile_rows.h"
#include "lib/core/nn/kernels/vector.h"

/// `tile_rows.h` for one type of numbers.
namespace {

using lcm::nn::blocked::block_bytes;
using lcm::nn::blocked::TileRow;
using lcm::nn::blocked::window_side;
using lcm::nn::blocked::window_step;
using lcm::nn::blocked::Windows;

/// B^T of one line of a window.
template <Windows windows>
inline void transform(const Vector* d, Vector* result) {
    if constexpr (windows == Windows::plain) {
        result[0] = d[0] - d[2];
        result[1] = d[1] + d[2];
        result[2] = d[2] - d[1];
        result[3] = d[1] - d[3];
    } else {
        result[0] = d[0] - d[1];
        result[1] = d[1];
        result[2] = d[1] - d[2];
    }
}

/// One column of a window, transformed.
template <Windows windows>
struct Column {
    Vector row[window_side(windows)];

    void read(const char* from, std::int64_t stride) {
        Vector pixel[window_side(windows)];
        for (std::int64_t i = 0; i < window_side(windows); ++i) pixel[i] = load(reinterpret_cast<const float*>(from + i * stride));
        transform<windows>(pixel, row);
    }
};

/// The columns of a window. Those that it shares with the next one stay where they are: the next window's first column is column `step`.
template <typename Number, Windows windows>
class SlidingWindow {
public:
    SlidingWindow(const TileRow& row, const char* from, char* to) : row_(row), from_(from), to_(to) {
        for (; read_ < side - step; ++read_) column_[read_].read(from_ + read_ * block_bytes, row_.from_row);
    }

    /// Windows until the place of one is `end`.
    void fill_until(const char* end) {
        while (to_ != end) {
            fill_one<0>();
            if (to_ == end) return;
            fill_one<step % side>();
            if constexpr (2 * step % side == 0) continue;
            if (to_ == end) return;
            fill_one<2 * step % side>();
        }
    }

private:
    static constexpr std::int64_t side = window_side(windows), step = window_step(windows);

    template <std::int64_t first>
    void fill_one() {
        for (std::int64_t i = side - step; i < side; ++i, ++read_)
            column_[(first + i) % side].read(from_ + read_ * block_bytes, row_.from_row);
        char* tap = to_;
        for (std::int64_t y = 0; y < side; ++y) {
            Vector line[side], result[side];
            for (std::int64_t x = 0; x < side; ++x) line[x] = column_[(first + x) % side].row[y];
            transform<windows>(line, result);
            for (std::int64_t x = 0; x < side; ++x, tap += row_.to_tap) store(result[x], reinterpret_cast<Number*>(tap));
        }
        to_ += block_bytes;
    }

    const TileRow& row_;
    const char* from_;
    char* to_;
    std::int64_t read_ = 0;
    Column<windows> column_[side];
};

template <typename Number>
void clear_channels(const TileRow& row, std::int64_t window, std::int64_t count, char* to) {
    for (std::int64_t tap = 0; tap < window_taps(row.windows); ++tap)
        for (std::int64_t i = window; i < window + count; ++i)
            store(Vector{}, reinterpret_cast<Number*>(to + tap * row.to_tap + i * block_bytes));
}

/// A vector of channels of `count` windows, from one on.
template <typename Number, Windows windows>
void fill_channels(const TileRow& row, std::int64_t window, std::int64_t count, const char* from, char* to) {
    to += window * block_bytes;
    SlidingWindow<Number, windows>(row, from + window * window_step(windows) * block_bytes, to).fill_until(to + count * block_bytes);
}

constexpr std::int64_t vector_bytes = sizeof(Vector), picture_vectors = block_bytes / vector_bytes;
constexpr std::int64_t windows_at_a_time = 16;  // whose blocks stay in the first cache until they are full

template <typename Number>
void fill_tiles(const TileRow& row, std::int64_t block) {
    constexpr std::int64_t vectors = block_bytes / static_cast<std::int64_t>(sizeof(Number)) / lanes;
    for (std::int64_t window = 0; window < row.count; window += windows_at_a_time) {
        const std::int64_t left = row.count - window, count = left < windows_at_a_time ? left : windows_at_a_time;
        for (std::int64_t i = 0; i < vectors; ++i) {
            const std::int64_t from_vector = block * vectors + i, from_block = from_vector / picture_vectors;
            const char* const from = row.from + from_block * row.from_block + from_vector % picture_vectors * vector_bytes;
            char* const to = row.to + block * row.to_block + i * lanes * static_cast<std::int64_t>(sizeof(Number));
            if (from_block >= row.from_blocks)
                clear_channels<Number>(row, window, count, to);
            else if (row.windows == Windows::doubling)
                fill_channels<Number, Windows::doubling>(row, window, count, from, to);
            else
                fill_channels<Number, Windows::plain>(row, window, count, from, to);
        }
    }
}

}  // namespace
