#pragma once

#include "lib/core/nn/kernels/product_parts.h"
#include "lib/core/nn/kernels/sums_avx512.h"

/// `product.h` with the vectors of AVX512: half a group of pixels at a time.
namespace {

using lcm::nn::blocked::panel_outputs;

constexpr std::int64_t halves = group_pixels / sum_pixels;

template <Numbers numbers, Ending ending>
class Multiplier {
public:
    Multiplier(const Product& product, const Part& part, float* scratch)
        : product_(product), part_(part), scratch_(scratch) {}

    void run() {
        for_each_stretch(product_, part_, [this](std::int64_t panel, std::int64_t first, std::int64_t count, const char* weights) {
            add_up(panel, first, count, weights);
        });
    }

private:
    /// Blocks `first` to `first + count` of all groups with one panel.
    void add_up(std::int64_t panel, std::int64_t first, std::int64_t count, const char* weights) {
        const std::int64_t groups = part_.last_group - part_.first_group, steps = count * product_.tap_count;
        const std::int64_t lines = steps * panel_step_bytes / block_bytes, turns = steps * groups * halves;
        const char* const following = weights + steps * panel_step_bytes;
        Ahead ahead{following, following + steps * panel_step_bytes, (lines + turns - 1) / turns};
        const std::int64_t divisor = ending == Ending::geglu ? 2 : 1;
        float* stored = scratch_;
        for (std::int64_t group = part_.first_group; group < part_.last_group; ++group) {
            const Place place = place_of(product_, group);
            const Finish finish(product_, panel, place.picture);
            std::int64_t out[group_pixels];
            find_outputs(product_, place, panel * panel_outputs / divisor, out);
            for (std::int64_t half = 0; half < halves; ++half, stored += sum_numbers) {
                const std::int64_t* const wanted = out + half * sum_pixels;
                if (!any(wanted)) continue;
                if (ahead.next >= ahead.end) ahead.lines = 0;
                const char* const in = place.in + half * sum_pixels * product_.in_strides.pixel;
                add_up_half(in, first, count, weights, {stored, finish, wanted}, ahead);
            }
        }
    }

    static bool any(const std::int64_t* out) {
        for (std::int64_t i = 0; i < sum_pixels; ++i)
            if (out[i] != not_wanted) return true;
        return false;
    }

    /// Where the sums of half a group go.
    struct Target {
        float* stored;
        const Finish& finish;
        const std::int64_t* out;
    };

    void add_up_half(const char* in, std::int64_t first, std::int64_t count, const char* weights, const Target& target, Ahead& ahead) {
        const bool last = first + count == product_.blocks;
        if (last) fetch_outputs<numbers>(product_, target.out, sum_pixels);
        Sums sums;
        if (first == 0)
            sums.clear();
        else
            sums.load_from(target.stored);
        const char* pixels = in + first * product_.in_strides.block;
        const std::int64_t* tap = product_.taps;
        // One loop over blocks and taps: between two, sums would not stay in registers. Pixels' next block is on its way into the first
        // cache meanwhile, and the next group, which may come from memory, into the second.
        for (std::int64_t step = count * product_.tap_count; step > 0; --step, weights += panel_step_bytes) {
            const Pixels eight(pixels + *tap, product_.in_strides.pixel);
            eight.fetch_near(product_.in_strides.block);
            eight.fetch_far(group_pixels * product_.in_strides.pixel);
            sums.add<numbers>(eight, weights);
            ahead.fetch();
            if (++tap < product_.taps + product_.tap_count) continue;
            tap = product_.taps;
            pixels += product_.in_strides.block;
        }
        if (!last) return sums.store_to(target.stored);
        for_each_index<sum_pixels>([&](auto i) {
            const std::int64_t at = target.out[i.value];
            if (at != not_wanted) finish_pixel<numbers, ending>(product_, target.finish, sums.sum[i.value], at);
        });
    }

    const Product& product_;
    const Part& part_;
    float* scratch_;
};

/// Only sums that wait for more blocks are stored.
inline std::int64_t scratch_numbers(const Product& product, const Part& part) {
    if (product.blocks_at_a_time() >= product.blocks) return 1;
    return (part.last_group - part.first_group) * halves * sum_numbers;
}

}  // namespace
