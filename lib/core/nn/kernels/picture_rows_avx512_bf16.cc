// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/picture_rows_vector.h"

namespace lcm::nn::blocked {

void fill_row_avx512_bf16(const PictureRow& row, const Change& change) {
    switch (change.numbers) {
        case Numbers::f32:
            return fill_row<Bf16, Numbers::f32>(row, change);
        case Numbers::bf16:
            return fill_row<Bf16, Numbers::bf16>(row, change);
        case Numbers::int8:
            return fill_row<Bf16, Numbers::int8>(row, change);
    }
}

}  // namespace lcm::nn::blocked
