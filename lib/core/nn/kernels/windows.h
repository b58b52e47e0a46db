#pragma once

#include "lib/core/nn/kernels/indices.h"
#include "lib/core/nn/kernels/product_parts.h"

/// Products of windows (`product.h`): the taps one by one for all windows of a part, then A^T m A of each window's sums m, with
/// A^T m = [m0 + m1 + m2, m1 - m2 - m3], or in a doubled picture, where m2 is none, [m0 + m1, m1 - m3].
namespace {

using lcm::nn::blocked::block_bytes;
using lcm::nn::blocked::panel_outputs;
using lcm::nn::blocked::panel_step_bytes;
using lcm::nn::blocked::window_side;
using lcm::nn::blocked::window_taps;
using lcm::nn::blocked::Windows;

template <Windows windows>
inline void sum_up(const Vector* m, Vector& first, Vector& second) {
    if constexpr (windows == Windows::plain) {
        first = m[0] + m[1] + m[2];
        second = m[1] - m[2] - m[3];
    } else {
        first = m[0] + m[1];
        second = m[1] - m[2];
    }
}

/// One tap of a group of windows and one panel.
struct TapWork {
    const char* in;                     ///< where the group begins
    float* to;                          ///< sums of its first `Adder::windows`, [windows][32 outputs]
    std::int64_t next;                  ///< numbers to those of the next windows of the group
    std::int64_t pixel, block, blocks;  ///< distances in bytes, and blocks of channels
    const char* weights;
};

/// @tparam Adding  adds up the products of a group, `add_up(TapWork, Ahead)`; sums of `Adder::windows` lie side by side, every
/// `Adder::numbers` numbers those of another tap; it fetches `fetches(blocks)` times
template <template <Numbers> typename Adding, Numbers numbers, Windows windows, Ending ending>
class WindowMultiplier {
public:
    using Adder = Adding<numbers>;

    WindowMultiplier(const Product& product, const Part& part, float* scratch)
        : product_(product), part_(part), scratch_(scratch), blocks_(product.blocks / taps) {}

    static std::int64_t scratch_numbers(const Part& part) {
        return (part.last_group - part.first_group) * units * taps * Adder::numbers;
    }

    void run() {
        const auto* weights = static_cast<const char*>(product_.weights) + part_.first_panel * product_.blocks * panel_step_bytes;
        for (std::int64_t panel = part_.first_panel; panel < part_.last_panel; ++panel) {
            for (std::int64_t tap = 0; tap < taps; ++tap, weights += blocks_ * panel_step_bytes) add_up(panel, tap, weights);
            finish(panel);
        }
    }

private:
    static constexpr std::int64_t side = window_side(windows), taps = window_taps(windows), units = group_pixels / Adder::windows;

    std::int64_t groups() const { return part_.last_group - part_.first_group; }

    void add_up(std::int64_t panel, std::int64_t tap, const char* weights) {
        const std::int64_t lines = blocks_ * panel_step_bytes / block_bytes, turns = groups() * Adder::fetches(blocks_);
        const char* const following = weights + blocks_ * panel_step_bytes;
        Ahead ahead{following, following + blocks_ * panel_step_bytes, (lines + turns - 1) / turns};
        for (std::int64_t group = 0; group < groups(); ++group) {
            const Place place = place_of(product_, part_.first_group + group);
            if (group % taps == tap)  // what `finish` will write and add
                fetch_outputs<numbers>(product_, Outputs(product_, place, panel).at, 4 * group_pixels);
            if (ahead.next >= ahead.end) ahead.lines = 0;
            Adder::add_up({.in = place.in + tap * blocks_ * product_.in_strides.block,
                           .to = stored(group, tap),
                           .next = taps * Adder::numbers,
                           .pixel = product_.in_strides.pixel,
                           .block = product_.in_strides.block,
                           .blocks = blocks_,
                           .weights = weights},
                          ahead);
        }
    }

    float* stored(std::int64_t group, std::int64_t tap) const { return scratch_ + (group * units * taps + tap) * Adder::numbers; }

    /// Where the outputs of a group's windows begin, four of each window, or `not_wanted`.
    struct Outputs {
        std::int64_t at[4 * group_pixels];

        Outputs(const Product& product, const Place& place, std::int64_t panel) {
            std::int64_t first[group_pixels];
            find_outputs(product, place, panel * panel_outputs, first);
            const std::int64_t row = product.out_strides.row / 2, pixel = product.out_strides.pixel / 2;
            for (std::int64_t i = 0; i < group_pixels; ++i) {
                const std::int64_t four[] = {first[i], first[i] + pixel, first[i] + row, first[i] + row + pixel};
                for (std::int64_t j = 0; j < 4; ++j) at[4 * i + j] = first[i] == not_wanted ? not_wanted : four[j];
            }
        }
    };

    void finish(std::int64_t panel) const {
        for (std::int64_t group = 0; group < groups(); ++group) {
            const Place place = place_of(product_, part_.first_group + group);
            const Finish finish(product_, panel, place.picture);
            const Outputs out(product_, place, panel);
            fetch_residuals<numbers>(product_, out.at, 4 * group_pixels);
            for (std::int64_t i = 0; i < group_pixels; ++i) {
                if (out.at[4 * i] == not_wanted) continue;
                const float* const sums = stored(group, 0) + i / Adder::windows * taps * Adder::numbers;
                finish_window(sums + i % Adder::windows * panel_outputs, finish, out.at + 4 * i);
            }
        }
    }

    /// The four outputs of a window, of as many channels as a vector has.
    static void four_of(const float* sums, Vector (&result)[2][2]) {
        Vector upper[side], lower[side];
        for (std::int64_t x = 0; x < side; ++x) {
            Vector m[side];
            for (std::int64_t y = 0; y < side; ++y) m[y] = load(sums + (side * y + x) * Adder::numbers);
            sum_up<windows>(m, upper[x], lower[x]);
        }
        sum_up<windows>(upper, result[0][0], result[0][1]);
        sum_up<windows>(lower, result[1][0], result[1][1]);
    }

    void finish_window(const float* sums, const Finish& finish, const std::int64_t* out) const {
        Vector all[4][panel_vectors];
        for_each_index<panel_vectors>([&](auto vector) {
            Vector four[2][2];
            four_of(sums + vector.value * lanes, four);
            for_each_index<4>([&](auto i) { all[i.value][vector.value] = four[i.value / 2][i.value % 2]; });
        });
        for_each_index<4>([&](auto i) { finish_pixel<numbers, ending>(product_, finish, all[i.value], out[i.value]); });
    }

    const Product& product_;
    const Part& part_;
    float* scratch_;
    std::int64_t blocks_;
};

template <template <Numbers> typename Adding, Numbers numbers>
void multiply_windows(const Product& product, const Part& part, float* scratch) {
    if (product.windows == Windows::doubling)
        WindowMultiplier<Adding, numbers, Windows::doubling, Ending::plain>(product, part, scratch).run();
    else if (product.ending == Ending::silu)
        WindowMultiplier<Adding, numbers, Windows::plain, Ending::silu>(product, part, scratch).run();
    else
        WindowMultiplier<Adding, numbers, Windows::plain, Ending::plain>(product, part, scratch).run();
}

template <template <Numbers> typename Adding, Numbers numbers>
std::int64_t window_numbers(const Product& product, const Part& part) {
    if (product.windows == Windows::doubling)
        return WindowMultiplier<Adding, numbers, Windows::doubling, Ending::plain>::scratch_numbers(part);
    return WindowMultiplier<Adding, numbers, Windows::plain, Ending::plain>::scratch_numbers(part);
}

}  // namespace
