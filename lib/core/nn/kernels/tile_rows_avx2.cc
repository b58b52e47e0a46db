// Compiled for AVX2, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/tile_rows_vector.h"

namespace lcm::nn::blocked {

void fill_tiles_avx2(const TileRow& row, std::int64_t block) { fill_tiles<float>(row, block); }

}  // namespace lcm::nn::blocked
