#include "lib/core/nn/kernels/byte_kernels.h"
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

}  // namespace lcm::nn
