// Compiled for AVX512-BF16 and VNNI, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/attention_vector.h"
#include "lib/core/nn/kernels/number_kernels.h"
#include "lib/core/nn/kernels/picture_rows_vector.h"
#include "lib/core/nn/kernels/product_avx512.h"
#include "lib/core/nn/kernels/tile_rows_vector.h"
#include "lib/core/nn/kernels/windows_avx512.h"

namespace lcm::nn::blocked {

namespace {

void fill_row_of_bf16(const PictureRow& row, const Change& change) {
    switch (change.numbers) {
        case Numbers::f32:
            return fill_row<Bf16, Numbers::f32>(row, change);
        case Numbers::bf16:
            return fill_row<Bf16, Numbers::bf16>(row, change);
        case Numbers::int8:
            return fill_row<Bf16, Numbers::int8>(row, change);
    }
}

}  // namespace

extern const NumberKernels bf16_kernels_avx512, int8_kernels_avx512;
const NumberKernels bf16_kernels_avx512{
    .product = {scratch_numbers, multiply_with<Multiplier, Numbers::bf16>},
    .windows = {window_numbers<VectorAdder, Numbers::bf16>, multiply_windows<VectorAdder, Numbers::bf16>},
    .attention = worded_kernel<Numbers::bf16>,
    .fill_row = fill_row_of_bf16,
    .fill_tiles = fill_tiles<Bf16>,
};
const NumberKernels int8_kernels_avx512{.product = {scratch_numbers, multiply_with<Multiplier, Numbers::int8>}};

}  // namespace lcm::nn::blocked
