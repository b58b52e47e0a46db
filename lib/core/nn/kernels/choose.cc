#include "lib/core/nn/kernels/byte_kernels.h"
#include "lib/core/nn/kernels/number_kernels.h"
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

extern const NumberKernels f32_kernels_baseline;

#if defined(__x86_64__)

extern const NumberKernels f32_kernels_avx2, f32_kernels_avx512, bf16_kernels_avx512, int8_kernels_avx512;
extern const ProductKernel product_kernel_amx;
extern const HeadKernel head_kernel_amx;

const NumberKernels& number_kernels(Numbers numbers) {
    const InstructionSet set = instruction_set();
    if (numbers == Numbers::f32) {
        if (set >= InstructionSet::avx512) return f32_kernels_avx512;
        return set == InstructionSet::avx2 ? f32_kernels_avx2 : f32_kernels_baseline;
    }
    const bool bytes = numbers == Numbers::int8;
    if (set < InstructionSet::amx) return bytes ? int8_kernels_avx512 : bf16_kernels_avx512;
    static const NumberKernels int8{.product = product_kernel_amx};
    static const NumberKernels bf16{
        .product = product_kernel_amx, .attention = head_kernel_amx, .fill_row = bf16_kernels_avx512.fill_row};
    return bytes ? int8 : bf16;
}

#else

const NumberKernels& number_kernels(Numbers) { return f32_kernels_baseline; }

#endif

bool multiplies_windows(Numbers numbers) {
    return numbers == Numbers::f32 || (numbers == Numbers::bf16 && instruction_set() < InstructionSet::amx);
}

}  // namespace blocked

}  // namespace lcm::nn
