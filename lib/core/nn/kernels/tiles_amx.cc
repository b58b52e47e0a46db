// Compiled for AMX, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/tiles_amx.h"

#include <immintrin.h>

namespace lcm::nn::amx {

void begin_tiles() {
    struct alignas(64) Palette {
        unsigned char palette = 1, start_row = 0, reserved[14] = {};
        std::uint16_t row_bytes[16] = {};
        unsigned char rows[16] = {};
    } palette;
    for (int tile = 0; tile < 8; ++tile) {
        palette.row_bytes[tile] = tile_row_bytes;
        palette.rows[tile] = tile_rows;
    }
    asm volatile("" ::"r"(&palette) : "memory");
    _tile_loadconfig(&palette);
}

void end_tiles() { _tile_release(); }

}  // namespace lcm::nn::amx
