// Compiled for AVX512, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/picture_rows_vector.h"

namespace lcm::nn::blocked {

void fill_row_avx512(const PictureRow& row, const Change& change) { fill_row<float, Numbers::f32>(row, change); }

}  // namespace lcm::nn::blocked
