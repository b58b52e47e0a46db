#include "lib/core/nn/blocked_run.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "lib/core/nn/kernels/number_kernels.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t chunk_bytes = 768 << 10;  // of pixels: what stays in the second cache beside weights
constexpr std::int64_t least_groups = 16;        // of a chunk: its products hide the weights' way from memory

/// Chunks of groups times chunks of panels; a thread takes a stretch of them, panels outermost.
struct Split {
    std::int64_t group_chunks, panel_chunks;

    Split(const Product& product, std::int64_t input_bytes) {
        const std::int64_t groups = product.groups(), panels = product.panels();
        const std::int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
        const std::int64_t fitting = std::max(least_groups, chunk_bytes * groups / std::max<std::int64_t>(1, input_bytes));
        group_chunks = ceil_divide(groups, fitting);
        panel_chunks = 1;
        // Whichever is smaller, weights or pixels, is what all threads read.
        if (weight_bytes(product, product.blocks * product.tap_count) > input_bytes && panels >= 2 * threads)
            panel_chunks = threads;
        else if (groups >= 2 * threads)
            group_chunks = ceil_divide(group_chunks, threads) * threads;
        else
            panel_chunks = std::min(panels, threads);
    }
};

}  // namespace

std::int64_t bound(std::int64_t size, std::int64_t index, std::int64_t count, std::int64_t unit) {
    return std::min(size, ceil_divide(size, unit) * index / count * unit);
}

Scratch::Scratch(std::int64_t numbers) : memory_(at::empty({numbers}, at::kFloat)) {}

void run(const Product& product, std::int64_t input_bytes) {
    const NumberKernels& kernels = number_kernels(product.numbers);
    const ProductKernel& kernel = product.windows == Windows::none ? kernels.product : kernels.windows;
    const Split split(product, input_bytes);
    const auto part_of = [&](std::int64_t index) {
        const std::int64_t panel = index / split.group_chunks, group = index % split.group_chunks;
        const auto groups = [&](std::int64_t i) { return bound(product.groups(), i, split.group_chunks, 2); };
        const auto panels = [&](std::int64_t i) { return bound(product.panels(), i, split.panel_chunks, 1); };
        return Part{groups(group), groups(group + 1), panels(panel), panels(panel + 1)};
    };
    at::parallel_for(0, split.group_chunks * split.panel_chunks, 1, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t numbers = 0;
        for (std::int64_t i = begin; i < end; ++i) numbers = std::max(numbers, kernel.scratch_numbers(product, part_of(i)));
        Scratch scratch(numbers);
        for (std::int64_t i = begin; i < end; ++i) kernel.multiply(product, part_of(i), scratch.numbers());
    });
}

}  // namespace lcm::nn::blocked
