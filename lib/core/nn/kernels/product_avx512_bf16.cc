// Compiled for AVX512-BF16 and VNNI, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/product_avx512.h"
#include "lib/core/nn/kernels/windows_avx512.h"

namespace lcm::nn::blocked {

extern const ProductKernel product_kernel_avx512_bf16, window_kernel_avx512_bf16, product_kernel_avx512_int8;
const ProductKernel product_kernel_avx512_bf16{scratch_numbers, multiply_with<Multiplier, Numbers::bf16>};
const ProductKernel window_kernel_avx512_bf16{window_numbers<VectorAdder, Numbers::bf16>, multiply_windows<VectorAdder, Numbers::bf16>};
const ProductKernel product_kernel_avx512_int8{scratch_numbers, multiply_with<Multiplier, Numbers::int8>};

}  // namespace lcm::nn::blocked
