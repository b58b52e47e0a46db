#include "lib/core/nn/kernels/byte_kernels.h"
#include "lib/core/nn/kernels/f32_kernels.h"
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

extern const F32Kernels f32_kernels_baseline;
#if defined(__x86_64__)
extern const F32Kernels f32_kernels_avx2, f32_kernels_avx512;
extern const ProductKernel product_kernel_avx512_bf16, window_kernel_avx512_bf16, product_kernel_avx512_int8, product_kernel_amx;
extern const HeadKernel head_kernel_avx512_bf16, head_kernel_amx;
void fill_row_avx512_bf16(const PictureRow& row, const Change& change);
void fill_tiles_avx512_bf16(const TileRow& row, std::int64_t block);
#endif

const F32Kernels& f32_kernels() {
#if defined(__x86_64__)
    const InstructionSet set = instruction_set();
    if (set >= InstructionSet::avx512) return f32_kernels_avx512;
    if (set == InstructionSet::avx2) return f32_kernels_avx2;
#endif
    return f32_kernels_baseline;
}

const ProductKernel& product_kernel(const Product& product) {
    const bool windows = product.windows != Windows::none;
#if defined(__x86_64__)
    if (product.numbers != Numbers::f32) {
        if (windows) return window_kernel_avx512_bf16;
        if (instruction_set() == InstructionSet::amx) return product_kernel_amx;
        return product.numbers == Numbers::int8 ? product_kernel_avx512_int8 : product_kernel_avx512_bf16;
    }
#endif
    return windows ? f32_kernels().windows : f32_kernels().product;
}

const HeadKernel& head_kernel([[maybe_unused]] Numbers numbers) {
#if defined(__x86_64__)
    if (numbers != Numbers::f32) return instruction_set() == InstructionSet::amx ? head_kernel_amx : head_kernel_avx512_bf16;
#endif
    return f32_kernels().attention;
}

FillRow row_kernel([[maybe_unused]] Numbers from) {
#if defined(__x86_64__)
    if (from != Numbers::f32) return fill_row_avx512_bf16;
#endif
    return f32_kernels().fill_row;
}

FillTiles tile_row_kernel([[maybe_unused]] Numbers to) {
#if defined(__x86_64__)
    if (to != Numbers::f32) return fill_tiles_avx512_bf16;
#endif
    return f32_kernels().fill_tiles;
}

bool multiplies_windows(Numbers numbers) {
    return numbers == Numbers::f32 || (numbers == Numbers::bf16 && instruction_set() < InstructionSet::amx);
}

}  // namespace blocked

}  // namespace lcm::nn
