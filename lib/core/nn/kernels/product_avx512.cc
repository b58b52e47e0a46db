// Compiled for AVX512, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/product_avx512.h"
#include "lib/core/nn/kernels/windows_avx512.h"

namespace lcm::nn::blocked {

extern const ProductKernel product_kernel_avx512, window_kernel_avx512;
const ProductKernel product_kernel_avx512{stored_numbers, multiply_with<Multiplier, Numbers::f32>};
const ProductKernel window_kernel_avx512{window_numbers<VectorAdder, Numbers::f32>, multiply_windows<VectorAdder, Numbers::f32>};

}  // namespace lcm::nn::blocked
