#pragma once

#include <cstdint>

/// The tile registers of AMX as our kernels use them: eight of 16 rows with 64 bytes each.
namespace lcm::nn::amx {

constexpr std::int64_t tile_rows = 16, tile_row_bytes = 64, tile_bytes = tile_rows * tile_row_bytes;

/// Sets up the tile registers of this thread, and gives them back.
void begin_tiles();
void end_tiles();

}  // namespace lcm::nn::amx

#if defined(LCM_TILE_INSTRUCTIONS)
#include LCM_TILE_INSTRUCTIONS  // what a test has in their place, so that CPUs without tiles run these kernels
#else

/// Instructions on tiles whose numbers are parameters of templates, which the compiler's own, being macros, do not take. As in `vector.h`,
/// every compilation has its own copy.
namespace {

template <int tile>
inline void load_tile(const void* from, std::int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(tile) : "memory");
}

template <int tile>
inline void store_tile(void* to, std::int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(tile) : "memory");
}

template <int tile>
inline void clear_tile() {
    asm volatile("tilezero %%tmm%c0" ::"i"(tile));
}

/// sums += rows * columns of pairs of bf16.
template <int sums, int rows, int columns>
inline void multiply_bf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(rows), "i"(columns));
}

/// sums += rows * columns of four unsigned bytes with signed ones.
template <int sums, int rows, int columns>
inline void multiply_int8() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sums), "i"(rows), "i"(columns));
}

}  // namespace

#endif
