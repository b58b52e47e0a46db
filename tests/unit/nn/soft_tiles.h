#pragma once

#include <cstdint>

/// The instructions of `kernels/tiles_amx.h` on memory: what Intel's manual says that each does ("Instruction Set Reference", TDPBF16PS,
/// TDPBUSD), but for the order in which sums are rounded.
namespace {

constexpr int soft_rows = 16, soft_row_bytes = 64, soft_words = soft_row_bytes / 4;

struct SoftTile {
    alignas(64) unsigned char rows[soft_rows][soft_row_bytes];
};

inline thread_local SoftTile soft_tiles[8];

template <typename Word>
inline Word (&words_of(int tile))[soft_rows][soft_words] {
    return reinterpret_cast<Word(&)[soft_rows][soft_words]>(soft_tiles[tile].rows);
}

template <int tile>
inline void load_tile(const void* from, std::int64_t stride) {
    for (int row = 0; row < soft_rows; ++row)
        __builtin_memcpy(soft_tiles[tile].rows[row], static_cast<const char*>(from) + row * stride, soft_row_bytes);
}

template <int tile>
inline void store_tile(void* to, std::int64_t stride) {
    for (int row = 0; row < soft_rows; ++row)
        __builtin_memcpy(static_cast<char*>(to) + row * stride, soft_tiles[tile].rows[row], soft_row_bytes);
}

template <int tile>
inline void clear_tile() {
    __builtin_memset(&soft_tiles[tile], 0, sizeof(SoftTile));
}

inline float soft_float(std::uint32_t bits) {
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

template <int sums, int rows, int columns>
inline void multiply_bf16() {
    constexpr std::uint32_t upper = 0xFFFF0000;
    auto& sum = words_of<float>(sums);
    const auto &row = words_of<std::uint32_t>(rows), &column = words_of<std::uint32_t>(columns);
    for (int m = 0; m < soft_rows; ++m)
        for (int k = 0; k < soft_words; ++k) {
            const float first = soft_float(row[m][k] << 16), second = soft_float(row[m][k] & upper);
            for (int n = 0; n < soft_words; ++n)
                sum[m][n] += first * soft_float(column[k][n] << 16) + second * soft_float(column[k][n] & upper);
        }
}

template <int sums, int rows, int columns>
inline void multiply_int8() {
    auto& sum = words_of<std::int32_t>(sums);
    for (int m = 0; m < soft_rows; ++m)
        for (int k = 0; k < soft_words; ++k)
            for (int n = 0; n < soft_words; ++n)
                for (int byte = 4 * k; byte < 4 * k + 4; ++byte)
                    sum[m][n] += soft_tiles[rows].rows[m][byte] * static_cast<signed char>(soft_tiles[columns].rows[k][4 * n + byte % 4]);
}

}  // namespace
