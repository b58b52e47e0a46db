// Compiled for each instruction set, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/attention_vector.h"
#include "lib/core/nn/kernels/number_kernels.h"
#include "lib/core/nn/kernels/picture_rows_vector.h"
#include "lib/core/nn/kernels/tile_rows_vector.h"
#if defined(__AVX512F__)
#include "lib/core/nn/kernels/product_avx512.h"
#include "lib/core/nn/kernels/windows_avx512.h"
#else
#include "lib/core/nn/kernels/product_vector.h"
#include "lib/core/nn/kernels/windows_vector.h"
#endif

namespace lcm::nn::blocked {

extern const NumberKernels LCM_F32_KERNELS;
const NumberKernels LCM_F32_KERNELS{
    .product = {scratch_numbers, multiply_with<Multiplier, Numbers::f32>},
    .windows = {window_numbers<VectorAdder, Numbers::f32>, multiply_windows<VectorAdder, Numbers::f32>},
    .attention = worded_kernel<Numbers::f32>,
    .fill_row = fill_row<float, Numbers::f32>,
    .fill_tiles = fill_tiles<float>,
};

}  // namespace lcm::nn::blocked
