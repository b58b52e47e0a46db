#pragma once

#include "lib/core/nn/kernels/indices.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/vector.h"

/// The sums of a few pixels and 16 outputs, in f32, in registers of any size. Vectors of weights meet a number of a pixel that is copied to
/// all lanes. With AVX2, where a pixel has two, eight sums are enough to hide how long a product takes, and twelve fill the registers.
namespace {

using lcm::nn::blocked::block_bytes;
using lcm::nn::blocked::Numbers;

constexpr std::int64_t sum_outputs = 16, sum_vectors = sum_outputs / lanes, sum_pixels = lanes > 4 ? 4 : 2;

/// Where pixels in equal distances lie.
struct Pixels {
    const char* first;
    std::int64_t stride;

    Pixels(const char* in, std::int64_t distance) : first(in), stride(distance) {}
};

/// [pixels][16 outputs].
template <std::int64_t pixels>
struct SumsOf {
    Vector sum[pixels][sum_vectors];

    void clear() {
        for_each([](Vector& each, auto, auto) { each = Vector{}; });
    }
    /// Each pixel's 16 sums lie 32 numbers behind the last one's.
    void load_from(const float* from) {
        for_each([&](Vector& each, auto pixel, auto i) { each = load(from + 2 * sum_outputs * pixel.value + lanes * i.value); });
    }
    void store_to(float* to) {
        for_each([&](Vector each, auto pixel, auto i) { store(each, to + 2 * sum_outputs * pixel.value + lanes * i.value); });
    }

    /// Adds the products of `rows` numbers of each pixel with rows `row` and on of weights.
    template <Numbers, std::int64_t row, std::int64_t rows>
    inline __attribute__((always_inline)) void add_rows(const Pixels& in, const char* weights, std::int64_t) {
        const char* numbers[pixels];
        for_each_index<pixels>([&](auto i) {
            numbers[i.value] = in.first + i.value * in.stride;
            asm("" : "+r"(numbers[i.value]));  // gcc would keep the distance to each number of each pixel on the stack, and load it there
        });
        for_each_index<rows>([&](auto each) {
            constexpr std::int64_t number = row + each.value;
            const auto* const from = reinterpret_cast<const float*>(weights + number * block_bytes);
            Vector weight[sum_vectors];
            for_each_index<sum_vectors>([&](auto v) { weight[v.value] = load(from + v.value * lanes); });
            for_each_index<pixels>([&](auto i) {
                const Vector copies = same(reinterpret_cast<const float*>(numbers[i.value])[number]);
                for_each_index<sum_vectors>([&](auto v) { sum[i.value][v.value] += copies * weight[v.value]; });
            });
        });
    }

private:
    /// Calls `use(sum, pixel, i)` for each, with its places as types.
    template <typename Use>
    inline __attribute__((always_inline)) void for_each(const Use& use) {
        for_each_index<pixels>([&](auto pixel) { for_each_index<sum_vectors>([&](auto i) { use(sum[pixel.value][i.value], pixel, i); }); });
    }
};

using Sums = SumsOf<sum_pixels>;

}  // namespace
