#pragma once

#include "lib/core/nn/kernels/sums_avx512.h"
#include "lib/core/nn/kernels/windows.h"

/// `windows.h` with the vectors of AVX512.
namespace {

template <Numbers of>
struct VectorAdder {
    static constexpr std::int64_t windows = sum_pixels, numbers = sum_numbers;
    static std::int64_t fetches(std::int64_t blocks) { return group_pixels / windows * blocks; }

    static void add_up(const TapWork& work, Ahead& ahead) {
        const char* in = work.in;
        float* to = work.to;
        for (std::int64_t window = 0; window < group_pixels; window += windows, in += windows * work.pixel, to += work.next)
            add_up(work, in, to, ahead);
    }

private:
    static void add_up(const TapWork& work, const char* in, float* to, Ahead& ahead) {
        const char* weights = work.weights;
        Sums sums;
        sums.clear();
        for (std::int64_t block = 0; block < work.blocks; ++block, in += work.block, weights += panel_step_bytes) {
            sums.add<of>(Pixels(in, work.pixel), weights);
            ahead.fetch();
        }
        sums.store_to(to);
    }
};

}  // namespace
