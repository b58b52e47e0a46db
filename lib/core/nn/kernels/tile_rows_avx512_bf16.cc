// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/tile_rows_vector.h"

namespace lcm::nn::blocked {

void fill_tiles_avx512_bf16(const TileRow& row, std::int64_t block) { fill_tiles<Bf16>(row, block); }

}  // namespace lcm::nn::blocked
