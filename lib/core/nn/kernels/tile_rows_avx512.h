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

/// Sixteen channels of all windows; windows that follow each other share two columns.
template <typename Number, Windows windows>
void fill_channels(const TileRow& row, const char* from, char* to) {
    constexpr std::int64_t side = window_side(windows), step = window_step(windows), kept = side - step;
    Column<windows> column[side];
    for (std::int64_t i = 0; i < kept; ++i) column[i].read(from + i * block_bytes, row.from_row);
    for (std::int64_t window = 0; window < row.count; ++window, to += block_bytes) {
        from += step * block_bytes;
        for (std::int64_t i = kept; i < side; ++i) column[i].read(from + (i - step) * block_bytes, row.from_row);
        char* tap = to;
        for (std::int64_t y = 0; y < side; ++y) {
            Vector line[side], result[side];
            for (std::int64_t x = 0; x < side; ++x) line[x] = column[x].row[y];
            transform<windows>(line, result);
            for (std::int64_t x = 0; x < side; ++x, tap += row.to_tap) store(result[x], reinterpret_cast<Number*>(tap));
        }
        for (std::int64_t i = 0; i < kept; ++i) column[i] = column[i + step];
    }
}

template <typename Number>
void clear_channels(const TileRow& row, char* to) {
    for (std::int64_t tap = 0; tap < window_taps(row.windows); ++tap)
        for (std::int64_t window = 0; window < row.count; ++window)
            store(Vector{}, reinterpret_cast<Number*>(to + tap * row.to_tap + window * block_bytes));
}

template <typename Number>
void fill_tiles(const TileRow& row, std::int64_t block) {
    constexpr std::int64_t vectors = block_bytes / static_cast<std::int64_t>(sizeof(Number)) / lanes;
    for (std::int64_t i = 0; i < vectors; ++i) {
        const std::int64_t from_block = block * vectors + i;
        const char* const from = row.from + from_block * row.from_block;
        char* const to = row.to + block * row.to_block + i * lanes * static_cast<std::int64_t>(sizeof(Number));
        if (from_block >= row.from_blocks)
            clear_channels<Number>(row, to);
        else if (row.windows == Windows::doubling)
            fill_channels<Number, Windows::doubling>(row, from, to);
        else
            fill_channels<Number, Windows::plain>(row, from, to);
    }
}

}  // namespace
