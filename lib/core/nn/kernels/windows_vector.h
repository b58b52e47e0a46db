#pragma once

#include "lib/core/nn/kernels/product_vector.h"
#include "lib/core/nn/kernels/windows.h"

/// `windows.h` with vectors.
namespace {

template <Numbers>
struct VectorAdder {
    static constexpr std::int64_t windows = group_pixels, numbers = group_sums;
    static std::int64_t fetches(std::int64_t) { return 1; }

    static void add_up(const TapWork& work, Ahead& ahead) {
        constexpr std::int64_t no_distance = 0;
        add_up_group(work.in, work.weights, {work.pixel, work.block, work.blocks, &no_distance, 1}, /*from_zero=*/true, work.to);
        ahead.fetch();
    }
};

}  // namespace
