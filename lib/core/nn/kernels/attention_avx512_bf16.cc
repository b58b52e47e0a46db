// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/attention_vector.h"

namespace lcm::nn::blocked {

extern const HeadKernel head_kernel_avx512_bf16;
const HeadKernel head_kernel_avx512_bf16 = worded_kernel<Numbers::bf16>;

}  // namespace lcm::nn::blocked
