#pragma once

#include <immintrin.h>

#include "lib/core/nn/kernels/indices.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/vector.h"

/// The sums of a few pixels and outputs in the registers of AVX512: 8 pixels times 2 vectors of 16 outputs, those of a panel. Each
/// vector of weights meets 4 bytes of a pixel that are copied to all lanes; 16 sums are enough to hide how long one product takes.
namespace {

using lcm::nn::blocked::block_bytes;
using lcm::nn::blocked::Numbers;
using lcm::nn::blocked::panel_step_bytes;

constexpr std::int64_t sum_pixels = 8, sum_vectors = 2, sum_outputs = sum_vectors * lanes;
constexpr std::int64_t sum_numbers = sum_pixels * sum_vectors * lanes;
constexpr std::int64_t vector_step_bytes = panel_step_bytes / sum_vectors;

template <Numbers numbers>
inline Vector multiply_add(Vector sum, Word pixel, Word weights) {
    if constexpr (numbers == Numbers::f32)
        return sum + reinterpret_cast<Vector>(pixel) * reinterpret_cast<Vector>(weights);
#if defined(__AVX512BF16__)
    if constexpr (numbers == Numbers::bf16)
        return reinterpret_cast<Vector>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(pixel),
                                                         reinterpret_cast<__m512bh>(weights)));
    if constexpr (numbers == Numbers::int8)
        return reinterpret_cast<Vector>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(pixel),
                                                            reinterpret_cast<__m512i>(weights)));
#endif
}

/// 32 bits at `from + times * distance + displacement` in all lanes. By an instruction of its own: as an operand of the product, which the
/// compiler would choose, it costs twice the time; and the compiler would keep eight distances where four do.
template <std::int64_t displacement, std::int64_t times>
inline Word everywhere(const char* from, std::int64_t distance) {
    Word result;
    asm("vpbroadcastd %c3(%1,%2,%c4), %0" : "=v"(result) : "r"(from), "r"(distance), "i"(displacement), "i"(times), "m"(*from));
    return result;
}

/// Where eight pixels in equal distances lie.
struct Pixels {
    const char* first;
    std::int64_t stride, three, five, seven;  ///< once, three, five and seven times the distance

    Pixels(const char* in, std::int64_t distance)
        : first(in), stride(distance), three(3 * distance), five(5 * distance), seven(7 * distance) {}

    /// The lines in which the same pixels lie `distance` bytes further come into the first cache, or only the second.
    void fetch_near(std::int64_t distance) const {
        const char* const from = first + distance;
        for_each_index<sum_pixels>([&](auto i) { ::fetch_near(from + i.value * stride); });
    }
    void fetch_far(std::int64_t distance) const {
        const char* const from = first + distance;
        for_each_index<sum_pixels>([&](auto i) { ::fetch_far(from + i.value * stride); });
    }

    /// Bytes `displacement` to `displacement + 4` of a pixel.
    template <std::int64_t displacement, std::int64_t pixel>
    Word four() const {
        if constexpr (pixel == 0) {
            Word result;
            asm("vpbroadcastd %c2(%1), %0" : "=v"(result) : "r"(first), "i"(displacement), "m"(*first));
            return result;
        }
        if constexpr (pixel == 3 || pixel == 6) return everywhere<displacement, pixel / 3>(first, three);
        if constexpr (pixel == 5) return everywhere<displacement, 1>(first, five);
        if constexpr (pixel == 7) return everywhere<displacement, 1>(first, seven);
        return everywhere<displacement, pixel>(first, stride);
    }
};

/// [8 pixels][2 vectors of 16 outputs].
struct Sums {
    Vector sum[sum_pixels][sum_vectors];

    void clear() {
        for_each([](Vector& each, auto, auto) { each = Vector{}; });
    }
    /// Each pixel's 32 sums lie behind the last one's.
    void load_from(const float* from) {
        for_each([&](Vector& each, auto pixel, auto i) { each = load(from + (pixel.value * sum_vectors + i.value) * lanes); });
    }
    void store_to(float* to) {
        for_each([&](Vector each, auto pixel, auto i) { store(each, to + (pixel.value * sum_vectors + i.value) * lanes); });
    }

    /// Adds the products of a block of each pixel and one step of a panel.
    template <Numbers numbers>
    inline __attribute__((always_inline)) void add(const Pixels& pixels, const char* weights) {
        add_rows<numbers, 0, lanes>(pixels, weights, vector_step_bytes);
    }

    /// Of 4 bytes of each pixel for each of `rows` rows of weights from row `row` on; the next 16 outputs' lie `next` bytes further.
    template <Numbers numbers, std::int64_t row, std::int64_t rows>
    inline __attribute__((always_inline)) void add_rows(const Pixels& pixels, const char* weights, std::int64_t next) {
        Word weight[sum_vectors];
        const char* const from = weights + row * block_bytes;
        for_each_index<sum_vectors>([&](auto i) { std::memcpy(&weight[i.value], from + i.value * next, sizeof(Word)); });
        add_pixels<numbers, row, 0>(pixels, weight);
        if constexpr (rows > 1) add_rows<numbers, row + 1, rows - 1>(pixels, weights, next);
    }

private:
    /// Calls `use(sum, pixel, i)` for each, with its places as types.
    template <typename Use>
    inline __attribute__((always_inline)) void for_each(const Use& use) {
        for_each_index<sum_pixels>([&](auto pixel) {
            for_each_index<sum_vectors>([&](auto i) { use(sum[pixel.value][i.value], pixel, i); });
        });
    }

    template <Numbers numbers, std::int64_t row, std::int64_t pixel>
    inline __attribute__((always_inline)) void add_pixels(const Pixels& pixels, const Word* weight) {
        const Word four = pixels.four<4 * row, pixel>();
        for_each_index<sum_vectors>([&](auto i) {
            Vector& each = sum[pixel][i.value];
            each = multiply_add<numbers>(each, four, weight[i.value]);
        });
        if constexpr (pixel + 1 < sum_pixels) add_pixels<numbers, row, pixel + 1>(pixels, weight);
    }
};

}  // namespace
