#pragma once

#include "lib/core/nn/kernels/gelu.h"
#include "lib/core/nn/kernels/indices.h"
#include "lib/core/nn/kernels/masks.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/short_functions.h"

/// What kernels of every instruction set with AVX512 share: where pixels lie, and what follows a sum. As in `vector.h`, every compilation
/// has its own copy.
namespace {

using lcm::nn::blocked::Ending;
using lcm::nn::blocked::group_pixels;
using lcm::nn::blocked::Numbers;
using lcm::nn::blocked::OutputStrides;
using lcm::nn::blocked::Part;
using lcm::nn::blocked::Product;

/// Where a group begins.
struct Place {
    const char* in;
    std::int64_t picture, row, x;
};

inline Place place_of(const Product& product, std::int64_t group) {
    if (product.pictures == 1 && product.rows == 1) {  // tokens: without divisions
        const std::int64_t first = group * group_pixels;
        return {static_cast<const char*>(product.in) + first * product.in_strides.pixel, 0, 0, first};
    }
    const std::int64_t picture = group / product.picture_groups(), within = group % product.picture_groups();
    const char* const in = static_cast<const char*>(product.in) + picture * product.in_strides.picture;
    if (product.joined > 0) {
        const std::int64_t pixel = within * group_pixels;
        return {in + pixel * product.in_strides.pixel, picture, pixel / product.joined, pixel % product.joined};
    }
    const std::int64_t row = within / product.row_groups(), x = within % product.row_groups() * group_pixels;
    return {in + row * product.in_strides.row + x * product.in_strides.pixel, picture, row, x};
}

constexpr std::int64_t not_wanted = -1;

/// The number in the result at which each pixel of a group begins, or `not_wanted`.
inline void find_outputs(const Product& product, const Place& place, std::int64_t first_output, std::int64_t* out) {
    const OutputStrides& strides = product.out_strides;
    std::int64_t row = place.row, x = place.x;
    if (x + group_pixels <= product.width && row < product.rows) {  // as nearly all
        const std::int64_t first = place.picture * strides.picture + row * strides.row + x * strides.pixel + first_output;
        for (std::int64_t i = 0; i < group_pixels; ++i) out[i] = first + i * strides.pixel;
        return;
    }
    for (std::int64_t i = 0; i < group_pixels; ++i, ++x) {
        if (product.joined > 0 && x == product.joined) {
            x = 0;
            ++row;
        }
        const bool wanted = x < product.width && row < product.rows;
        out[i] = wanted ? place.picture * strides.picture + row * strides.row + x * strides.pixel + first_output : not_wanted;
    }
}

/// Vectors of a panel's outputs.
constexpr std::int64_t panel_vectors = lcm::nn::blocked::panel_outputs / lanes;

/// What all sums of a panel and picture share.
struct Finish {
    const float* bias = nullptr;
    const float* scale = nullptr;  ///< of int8
    Lanes columns[panel_vectors];  ///< that are outputs, of each vector

    Finish() = default;
    Finish(const Product& product, std::int64_t panel, std::int64_t picture) {
        using lcm::nn::blocked::panel_outputs;
        const std::int64_t first = panel * panel_outputs, divisor = product.ending == Ending::geglu ? 2 : 1;
        bias = product.bias + picture * product.bias_picture + first;
        if (product.scale != nullptr) scale = product.scale + first;
        const std::int64_t left = (product.outputs - first) / divisor, most = panel_outputs / divisor, outputs = left < most ? left : most;
        for (std::int64_t i = 0; i < panel_vectors; ++i) columns[i] = first_lanes(outputs - i * lanes);
    }
};

template <Numbers numbers>
inline Vector exact_or_short_silu(Vector x) {
    if constexpr (numbers == Numbers::f32)
        return silu(x);
    else
        return short_silu(x);
}

template <Numbers numbers>
inline Vector exact_or_short_gelu(Vector x) {
    if constexpr (numbers == Numbers::f32)
        return gelu(x);
    else
        return short_gelu(x);
}

/// Adds the residual, if any, to the first `count` vectors of outputs, and writes them from number `at` on.
inline void store_outputs(const Product& product, const Finish& finish, Vector* sums, std::int64_t count, std::int64_t at, float*) {
    float* const out = static_cast<float*>(product.out) + at;
    const float* const residual = static_cast<const float*>(product.residual) + (product.residual != nullptr ? at : 0);
    for (std::int64_t i = 0; i < count; ++i) {
        if (residual != nullptr) sums[i] += load_first(residual + i * lanes, finish.columns[i]);
        store_first(sums[i], out + i * lanes, finish.columns[i]);
    }
}

#if defined(__AVX512BF16__)

inline Vector from_bf16(__m256i bits) { return reinterpret_cast<Vector>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16)); }

/// Both vectors; what is behind `count` is not written.
inline void store_outputs(const Product& product, const Finish& finish, Vector* sums, std::int64_t, std::int64_t at, Bf16*) {
    Bf16* const out = static_cast<Bf16*>(product.out) + at;
    const __mmask32 columns = _mm512_kunpackw(finish.columns[1], finish.columns[0]);
    if (product.residual != nullptr) {
        const __m512i residual = _mm512_maskz_loadu_epi16(columns, static_cast<const Bf16*>(product.residual) + at);
        sums[0] += from_bf16(_mm512_castsi512_si256(residual));
        sums[1] += from_bf16(_mm512_extracti64x4_epi64(residual, 1));
    }
    const __m512bh bits = _mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(sums[1]), reinterpret_cast<__m512>(sums[0]));
    _mm512_mask_storeu_epi16(out, columns, reinterpret_cast<__m512i>(bits));
}

#endif

/// The type of results.
template <Numbers numbers>
struct ResultOf {
    using Type = Bf16;
};
template <>
struct ResultOf<Numbers::f32> {
    using Type = float;
};

/// Scales the sums of one pixel and a panel, and writes its outputs from number `at` on.
template <Numbers numbers, Ending ending>
inline void finish_pixel(const Product& product, const Finish& finish, const Vector* sums, std::int64_t at) {
    using Result = typename ResultOf<numbers>::Type;
    constexpr std::int64_t count = ending == Ending::geglu ? panel_vectors / 2 : panel_vectors;
    Vector x[panel_vectors];
    for_each_index<panel_vectors>([&](auto i) {
        Vector sum = sums[i.value];
        if constexpr (numbers == Numbers::int8)
            sum = __builtin_convertvector(reinterpret_cast<Whole>(sum), Vector) * load(finish.scale + i.value * lanes);
        x[i.value] = sum + load(finish.bias + i.value * lanes);
    });
    for_each_index<count>([&](auto i) {
        if constexpr (ending == Ending::geglu) x[i.value] *= exact_or_short_gelu<numbers>(x[count + i.value]);
        if constexpr (ending == Ending::silu) x[i.value] = exact_or_short_silu<numbers>(x[i.value]);
    });
    store_outputs(product, finish, x, count, at, static_cast<Result*>(nullptr));
}

/// The same of sums in memory, `distance` numbers from one vector to the next.
template <Numbers numbers, Ending ending>
inline void finish_stored(const Product& product, const Finish& finish, const float* sums, std::int64_t distance, std::int64_t at) {
    Vector x[panel_vectors];
    for_each_index<panel_vectors>([&](auto i) { x[i.value] = load(sums + i.value * distance); });
    finish_pixel<numbers, ending>(product, finish, x, at);
}

/// What is written and added is far away: it is on its way while the sums are made.
template <Numbers numbers>
inline void fetch_outputs(const Product& product, const std::int64_t* out, std::int64_t count) {
    constexpr std::int64_t number_bytes = sizeof(typename ResultOf<numbers>::Type);
    for (std::int64_t i = 0; i < count; ++i) {
        if (out[i] == not_wanted) continue;
        fetch_far(static_cast<const char*>(product.out) + out[i] * number_bytes);
        if (product.residual == nullptr) continue;
        fetch_far(static_cast<const char*>(product.residual) + out[i] * number_bytes);
    }
}

/// A residual on its way, read soon, comes into the first cache.
template <Numbers numbers>
inline void fetch_residuals(const Product& product, const std::int64_t* out, std::int64_t count) {
    constexpr std::int64_t number_bytes = sizeof(typename ResultOf<numbers>::Type);
    if (product.residual == nullptr) return;
    for (std::int64_t i = 0; i < count; ++i)
        if (out[i] != not_wanted) fetch_near(static_cast<const char*>(product.residual) + out[i] * number_bytes);
}

/// Calls `add_up(panel, first block, blocks, weights)` for as many blocks as are added up at a time, panel by panel.
template <typename AddUp>
inline void for_each_stretch(const Product& product, const Part& part, const AddUp& add_up) {
    const std::int64_t step = product.tap_count * lcm::nn::blocked::panel_step_bytes, most = product.blocks_at_a_time();
    const auto* const weights = static_cast<const char*>(product.weights);
    for (std::int64_t panel = part.first_panel; panel < part.last_panel; ++panel)
        for (std::int64_t block = 0; block < product.blocks; block += most) {
            const std::int64_t count = most < product.blocks - block ? most : product.blocks - block;
            add_up(panel, block, count, weights + (panel * product.blocks + block) * step);
        }
}

/// Runs the multiplier for the product's ending.
template <template <Numbers, Ending> typename Multiplier, Numbers numbers>
void multiply_with(const Product& product, const Part& part, float* scratch) {
    switch (product.ending) {
        case Ending::plain:
            return Multiplier<numbers, Ending::plain>(product, part, scratch).run();
        case Ending::silu:
            return Multiplier<numbers, Ending::silu>(product, part, scratch).run();
        case Ending::geglu:
            return Multiplier<numbers, Ending::geglu>(product, part, scratch).run();
    }
}

/// A stretch of the weights to come, fetched a few lines at a time.
struct Ahead {
    const char* next;
    const char* end;
    std::int64_t lines;  ///< at a time

    void fetch() {
        for (std::int64_t i = 0; i < lines; ++i, next += lcm::nn::blocked::block_bytes) fetch_far(next);
    }
};

}  // namespace
