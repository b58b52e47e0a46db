#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/byte_kernels.h"
#include "lib/core/nn/kernels/picture_rows.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/tile_rows.h"
#include "lib/core/nn/kernels/vector_kernels.h"
#include "lib/core/tensor/instruction_set.h"

namespace lcm::nn {

extern const VectorKernels vector_kernels_baseline;
extern const ByteKernels byte_kernels_baseline;
#if defined(__x86_64__)
extern const VectorKernels vector_kernels_avx2, vector_kernels_avx512, vector_kernels_avx512_bf16;
extern const ByteKernels byte_kernels_avx2, byte_kernels_avx512, byte_kernels_avx512_bf16;
#endif

const VectorKernels& vector_kernels() {
#if defined(__x86_64__)
    const InstructionSet set = instruction_set();
    if (set >= InstructionSet::avx512_bf16) return vector_kernels_avx512_bf16;
    if (set == InstructionSet::avx512) return vector_kernels_avx512;
    if (set == InstructionSet::avx2) return vector_kernels_avx2;
#endif
    return vector_kernels_baseline;
}

const ByteKernels& byte_kernels() {
#if defined(__x86_64__)
    const InstructionSet set = instruction_set();
    if (set >= InstructionSet::avx512_bf16) return byte_kernels_avx512_bf16;
    if (set == InstructionSet::avx512) return byte_kernels_avx512;
    if (set == InstructionSet::avx2) return byte_kernels_avx2;
#endif
    return byte_kernels_baseline;
}

namespace blocked {

#if defined(__x86_64__)
extern const ProductKernel product_kernel_avx2, window_kernel_avx2, product_kernel_avx512, window_kernel_avx512;
extern const ProductKernel product_kernel_avx512_bf16, window_kernel_avx512_bf16, product_kernel_avx512_int8, product_kernel_amx;

const ProductKernel& product_kernel(const Product& product) {
    const bool windows = product.windows != Windows::none;
    if (product.numbers == Numbers::f32) {
        if (instruction_set() >= InstructionSet::avx512) return windows ? window_kernel_avx512 : product_kernel_avx512;
        return windows ? window_kernel_avx2 : product_kernel_avx2;
    }
    if (windows) return window_kernel_avx512_bf16;
    if (instruction_set() == InstructionSet::amx) return product_kernel_amx;
    return product.numbers == Numbers::int8 ? product_kernel_avx512_int8 : product_kernel_avx512_bf16;
}

extern const HeadKernel head_kernel_avx2, head_kernel_avx512, head_kernel_avx512_bf16, head_kernel_amx;

const HeadKernel& head_kernel(Numbers numbers) {
    if (numbers == Numbers::f32) return instruction_set() >= InstructionSet::avx512 ? head_kernel_avx512 : head_kernel_avx2;
    return instruction_set() == InstructionSet::amx ? head_kernel_amx : head_kernel_avx512_bf16;
}

void fill_row_avx2(const PictureRow& row, const Change& change);
void fill_row_avx512(const PictureRow& row, const Change& change);
void fill_row_avx512_bf16(const PictureRow& row, const Change& change);

FillRow row_kernel(Numbers from) {
    if (from != Numbers::f32) return fill_row_avx512_bf16;
    return instruction_set() >= InstructionSet::avx512 ? fill_row_avx512 : fill_row_avx2;
}

void fill_tiles_avx2(const TileRow& row, std::int64_t block);
void fill_tiles_avx512(const TileRow& row, std::int64_t block);
void fill_tiles_avx512_bf16(const TileRow& row, std::int64_t block);

FillTiles tile_row_kernel(Numbers to) {
    if (to != Numbers::f32) return fill_tiles_avx512_bf16;
    return instruction_set() >= InstructionSet::avx512 ? fill_tiles_avx512 : fill_tiles_avx2;
}
#else
const ProductKernel& product_kernel(const Product&) {
    static const ProductKernel none{};
    return none;
}
FillRow row_kernel(Numbers) { return nullptr; }
FillTiles tile_row_kernel(Numbers) { return nullptr; }
#endif

bool multiplies_windows(Numbers numbers) {
    return numbers == Numbers::f32 || (numbers == Numbers::bf16 && instruction_set() < InstructionSet::amx);
}

}  // namespace blocked

}  // namespace lcm::nn
