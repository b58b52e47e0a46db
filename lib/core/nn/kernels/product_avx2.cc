// Compiled for AVX2, so without templates of the standard library (see vector_kernels.cc).

#include "lib/core/nn/kernels/product_avx2.h"
#include "lib/core/nn/kernels/windows.h"

namespace lcm::nn::blocked {

namespace {

/// `windows.h` with the vectors of AVX2.
template <Numbers>
struct VectorAdder {
    static constexpr std::int64_t groups = 1, windows = group_pixels, numbers = group_sums;

    static void add_up(const TapWork& work, Ahead& ahead) {
        constexpr std::int64_t no_distance = 0;
        const Steps steps{work.pixel, work.block, work.blocks, &no_distance, 1};
        add_up_group(work.in[0], work.weights, steps, /*from_zero=*/true, work.to[0], ahead);
    }
};

}  // namespace

extern const ProductKernel product_kernel_avx2, window_kernel_avx2;
const ProductKernel product_kernel_avx2{scratch_numbers, multiply_with<Multiplier, Numbers::f32>};
const ProductKernel window_kernel_avx2{window_numbers<VectorAdder, Numbers::f32>, multiply_windows<VectorAdder, Numbers::f32>};

}  // namespace lcm::nn::blocked
