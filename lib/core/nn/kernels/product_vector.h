#pragma once

#include "lib/core/nn/kernels/product_parts.h"
#include "lib/core/nn/kernels/sums_vector.h"

/// `product.h` in f32 with vectors of any size: a group of pixels at a time, in parts that each fill the registers with their sums of half
/// a panel.
namespace {

using lcm::nn::blocked::panel_outputs;
using lcm::nn::blocked::panel_step_bytes;

constexpr std::int64_t group_sums = group_pixels * panel_outputs;  // [16 pixels][32 outputs]
constexpr std::int64_t near_steps = 12;                            // whose weights, half a panel's, stay in the first cache

/// What is multiplied, step by step: distances in bytes from one pixel and block to the next, and of each tap.
struct Steps {
    std::int64_t pixel, block, blocks;
    const std::int64_t* taps;
    std::int64_t tap_count;
};

template <std::int64_t pixels>
void add_up_pixels(const char* in, const char* weights, const Steps& steps, bool from_zero, float* to) {
    SumsOf<pixels> sums;
    if (from_zero)
        sums.clear();
    else
        sums.load_from(to);
    const std::int64_t* tap = steps.taps;
    for (std::int64_t step = steps.blocks * steps.tap_count; step > 0; --step, weights += panel_step_bytes) {
        sums.template add_rows<Numbers::f32, 0, block_bytes / sizeof(float)>(Pixels(in + *tap, steps.pixel), weights, 0);
        if (++tap < steps.taps + steps.tap_count) continue;
        tap = steps.taps;
        in += steps.block;
    }
    sums.store_to(to);
}

/// The sums of a group and a panel. A few blocks at a time, whose weights all parts of the group then find in the first cache.
inline void add_up_group(const char* in, const char* weights, const Steps& steps, bool from_zero, float* to) {
    constexpr std::int64_t first = lanes > 4 ? 6 : 2, others = lanes > 4 ? 5 : 2;
    static_assert((group_pixels - first) % others == 0);
    Steps some = steps;
    const std::int64_t most = near_steps > steps.tap_count ? near_steps / steps.tap_count : 1;
    for (std::int64_t left = steps.blocks; left > 0; left -= most, in += most * steps.block, from_zero = false) {
        some.blocks = left < most ? left : most;
        for (std::int64_t half = 0; half < 2; ++half) {
            const char* const half_weights = weights + half * panel_step_bytes / 2;
            float* const sums = to + half * sum_outputs;
            add_up_pixels<first>(in, half_weights, some, from_zero, sums);
            for (std::int64_t pixel = first; pixel < group_pixels; pixel += others)
                add_up_pixels<others>(in + pixel * steps.pixel, half_weights, some, from_zero, sums + pixel * panel_outputs);
        }
        weights += some.blocks * steps.tap_count * panel_step_bytes;
    }
}

template <Numbers numbers, Ending ending>
class Multiplier {
public:
    Multiplier(const Product& product, const Part& part, float* scratch) : product_(product), part_(part), scratch_(scratch) {}

    void run() {
        for_each_stretch(product_, part_, [this](std::int64_t panel, std::int64_t first, std::int64_t count, const char* weights) {
            add_up(panel, first, count, weights);
        });
    }

private:
    /// Blocks `first` to `first + count` of all groups with one panel.
    void add_up(std::int64_t panel, std::int64_t first, std::int64_t count, const char* weights) {
        const std::int64_t groups = part_.last_group - part_.first_group;
        const std::int64_t bytes = count * product_.tap_count * panel_step_bytes, lines = bytes / block_bytes;
        Ahead ahead{weights + bytes, weights + 2 * bytes, (lines + groups - 1) / groups};
        const bool stored = count < product_.blocks, last = first + count == product_.blocks;
        const Steps steps{product_.in_strides.pixel, product_.in_strides.block, count, product_.taps, product_.tap_count};
        for (std::int64_t group = 0; group < groups; ++group) {
            const Place place = place_of(product_, part_.first_group + group);
            float* const sums = scratch_ + (stored ? group : 0) * group_sums;
            if (ahead.next >= ahead.end) ahead.lines = 0;
            add_up_group(place.in + first * product_.in_strides.block, weights, steps, first == 0, sums);
            ahead.fetch();
            if (last) finish(panel, place, sums);
        }
    }

    void finish(std::int64_t panel, const Place& place, const float* sums) const {
        const std::int64_t divisor = ending == Ending::geglu ? 2 : 1;
        const Finish finish(product_, panel, place.picture);
        std::int64_t out[group_pixels];
        find_outputs(product_, place, panel * panel_outputs / divisor, out);
        for (std::int64_t i = 0; i < group_pixels; ++i, sums += panel_outputs)
            if (out[i] != not_wanted) finish_stored<numbers, ending>(product_, finish, sums, lanes, out[i]);
    }

    const Product& product_;
    const Part& part_;
    float* scratch_;
};

/// Only sums that wait for more blocks are stored for all groups.
inline std::int64_t scratch_numbers(const Product& product, const Part& part) {
    const bool stored = product.blocks_at_a_time() < product.blocks;
    return (stored ? part.last_group - part.first_group : 1) * group_sums;
}

}  // namespace
