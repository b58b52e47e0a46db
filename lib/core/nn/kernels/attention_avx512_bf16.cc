// Compiled for AVX512-BF16, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/attention_avx512.h"

namespace lcm::nn::blocked {

extern const HeadKernel head_kernel_avx512_bf16;
const HeadKernel head_kernel_avx512_bf16{nothing,
                                         nothing,
                                         worded_sizes<Numbers::bf16>,
                                         pack_worded_keys<Numbers::bf16>,
                                         pack_worded_values<Numbers::bf16>,
                                         attend<Numbers::bf16>};

}  // namespace lcm::nn::blocked
