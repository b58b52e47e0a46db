#pragma once

#include "lib/core/nn/kernels/product_avx512.h"

/// Products of windows (`product.h`) with the vectors of AVX512: the taps one by one for all windows of a part, then A^T m A of each
/// window's sums m, with A^T m = [m0 + m1 + m2, m1 - m2 - m3], or in a doubled picture, where m2 is none, [m0 + m1, m1 - m3].
namespace {

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

template <Numbers numbers, Windows windows, Ending ending>
class WindowMultiplier {
public:
    WindowMultiplier(const Product& product, const Part& part, float* scratch)
        : product_(product), part_(part), scratch_(scratch), blocks_(product.blocks / taps) {}

    void run() {
        const auto* weights = static_cast<const char*>(product_.weights) + part_.first_panel * product_.blocks * panel_step_bytes;
        for (std::int64_t panel = part_.first_panel; panel < part_.last_panel; ++panel) {
            for (std::int64_t tap = 0; tap < taps; ++tap, weights += blocks_ * panel_step_bytes) add_up(panel, tap, weights);
            finish(panel);
        }
    }

private:
    static constexpr std::int64_t side = window_side(windows), taps = window_taps(windows);

    std::int64_t count() const { return (part_.last_group - part_.first_group) * halves; }

    void add_up(std::int64_t panel, std::int64_t tap, const char* weights) {
        const std::int64_t lines = blocks_ * panel_step_bytes / block_bytes, turns = blocks_ * count();
        const char* const following = weights + blocks_ * panel_step_bytes;
        Ahead ahead{following, following + blocks_ * panel_step_bytes, (lines + turns - 1) / turns};
        for (std::int64_t group = part_.first_group; group < part_.last_group; ++group) {
            const Place place = place_of(product_, group);
            if ((group - part_.first_group) % taps == tap)  // what `finish` will write and add
                fetch_outputs<numbers>(product_, Outputs(product_, place, panel).at, 4 * group_pixels);
            const char* const in = place.in + tap * blocks_ * product_.in_strides.block;
            for (std::int64_t half = 0; half < halves; ++half) {
                if (ahead.next >= ahead.end) ahead.lines = 0;
                add_up_half(in + half * sum_pixels * product_.in_strides.pixel, weights,
                            stored((group - part_.first_group) * halves + half, tap), ahead);
            }
        }
    }

    void add_up_half(const char* in, const char* weights, float* to, Ahead& ahead) {
        Sums sums;
        sums.clear();
        for (std::int64_t block = 0; block < blocks_; ++block, in += product_.in_strides.block, weights += panel_step_bytes) {
            sums.add<numbers>(Pixels(in, product_.in_strides.pixel), weights);
            ahead.fetch();
        }
        sums.store_to(to);
    }

    float* stored(std::int64_t half, std::int64_t tap) const { return scratch_ + (half * taps + tap) * sum_numbers; }

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
        for (std::int64_t group = part_.first_group; group < part_.last_group; ++group) {
            const Place place = place_of(product_, group);
            const Finish finish(product_, panel, place.picture);
            const Outputs out(product_, place, panel);
            fetch_residuals<numbers>(product_, out.at, 4 * group_pixels);
            for (std::int64_t i = 0; i < group_pixels; ++i) {
                if (out.at[4 * i] == not_wanted) continue;
                const std::int64_t half = (group - part_.first_group) * halves + i / sum_pixels;
                finish_window(stored(half, 0) + i % sum_pixels * sum_vectors * lanes, finish, out.at + 4 * i);
            }
        }
    }

    /// The four outputs of a window, of 16 channels.
    static void four_of(const float* sums, Vector (&result)[2][2]) {
        Vector upper[side], lower[side];
        for (std::int64_t x = 0; x < side; ++x) {
            Vector m[side];
            for (std::int64_t y = 0; y < side; ++y) m[y] = load(sums + (side * y + x) * sum_numbers);
            sum_up<windows>(m, upper[x], lower[x]);
        }
        sum_up<windows>(upper, result[0][0], result[0][1]);
        sum_up<windows>(lower, result[1][0], result[1][1]);
    }

    void finish_window(const float* sums, const Finish& finish, const std::int64_t* out) const {
        Vector low[2][2], high[2][2];
        four_of(sums, low);
        four_of(sums + lanes, high);
        for_each_index<4>([&](auto i) {
            constexpr std::int64_t y = i.value / 2, x = i.value % 2;
            finish_pixel<numbers, ending>(product_, finish, low[y][x], high[y][x], out[i.value]);
        });
    }

    const Product& product_;
    const Part& part_;
    float* scratch_;
    std::int64_t blocks_;
};

template <Numbers numbers>
void multiply_windows(const Product& product, const Part& part, float* scratch) {
    if (product.windows == Windows::doubling)
        WindowMultiplier<numbers, Windows::doubling, Ending::plain>(product, part, scratch).run();
    else if (product.ending == Ending::silu)
        WindowMultiplier<numbers, Windows::plain, Ending::silu>(product, part, scratch).run();
    else
        WindowMultiplier<numbers, Windows::plain, Ending::plain>(product, part, scratch).run();
}

inline std::int64_t stored_window_numbers(const Product& product, const Part& part) {
    return (part.last_group - part.first_group) * halves * window_taps(product.windows) * sum_numbers;
}

}  // namespace
