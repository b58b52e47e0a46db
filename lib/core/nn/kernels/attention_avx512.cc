// Compiled for AVX512, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/attention_vector.h"

namespace lcm::nn::blocked {

extern const HeadKernel head_kernel_avx512;
const HeadKernel head_kernel_avx512 = worded_kernel<Numbers::f32>;

}  // namespace lcm::nn::blocked
