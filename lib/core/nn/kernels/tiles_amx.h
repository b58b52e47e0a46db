#pragma once

#include <cstdint>

/// The tile registers of AMX as our kernels use them: eight of 16 rows with 64 bytes each.
namespace lcm::nn::amx {

constexpr std::int64_t tile_rows = 16, tile_row_bytes = 64, tile_bytes = tile_rows * tile_row_bytes;

/// Sets up the tile registers of this thread, and gives them back.
void begin_tiles();
void end_tiles();

}  // namespace lcm::nn::amx
