// Compiled once for each instruction set, with LCM_KERNELS as the name of its table. Templates of the standard library must not be used
// here: the linker could take their code, made for this instruction set, for the rest of the program.

#include "lib/core/nn/kernels/vector_kernels.h"

#include "lib/core/nn/kernels/vector.h"

namespace {

using lcm::nn::Rows;

/// Channels that are added up at a time: as many registers of sums as fit, and whole cache lines of a row.
constexpr std::int64_t wide = 4;

constexpr std::int64_t rows_at_a_time = 16;  // whose channels stay in the first cache

template <std::int64_t vectors, typename Number>
inline void add_columns(const Number* x, Rows rows, const float* pivot, float* sum, float* squares) {
    Vector middle[vectors], sums[vectors], all_squares[vectors];
    for (std::int64_t i = 0; i < vectors; ++i) {
        middle[i] = load(pivot + i * lanes);
        sums[i] = load(sum + i * lanes);
        all_squares[i] = load(squares + i * lanes);
    }
    for (std::int64_t row = 0; row < rows.count; ++row, x += rows.channels)
        for (std::int64_t i = 0; i < vectors; ++i) {
            const Vector distance = load(x + i * lanes) - middle[i];
            sums[i] += distance;
            all_squares[i] += distance * distance;
        }
    for (std::int64_t i = 0; i < vectors; ++i) {
        store(sums[i], sum + i * lanes);
        store(all_squares[i], squares + i * lanes);
    }
}

template <typename Number>
inline void add_rest(const Number* x, Rows rows, std::int64_t rest, const float* pivot, float* sum, float* squares) {
    const Vector middle = load_some(pivot, rest);
    Vector sums = load_some(sum, rest), all_squares = load_some(squares, rest);
    for (std::int64_t row = 0; row < rows.count; ++row, x += rows.channels) {
        const Vector distance = load_some(x, rest) - middle;
        sums += distance;
        all_squares += distance * distance;
    }
    store_some(sums, sum, rest);
    store_some(all_squares, squares, rest);
}

template <typename Number>
void add(const Number* x, Rows rows, const float* pivot, float* sum, float* squares) {
    for (std::int64_t row = 0; row < rows.count; row += rows_at_a_time, x += rows_at_a_time * rows.channels) {
        const std::int64_t left = rows.count - row;
        const Rows some{left < rows_at_a_time ? left : rows_at_a_time, rows.channels};
        const Number* const next = x + rows_at_a_time * rows.channels;
        constexpr std::int64_t share = rows_at_a_time * wide * lanes * static_cast<std::int64_t>(sizeof(Number));
        std::int64_t c = 0;
        for (; c + wide * lanes <= rows.channels; c += wide * lanes) {
            fetch_near(next + c * rows_at_a_time, share);
            add_columns<wide>(x + c, some, pivot + c, sum + c, squares + c);
        }
        for (; c + lanes <= rows.channels; c += lanes) add_columns<1>(x + c, some, pivot + c, sum + c, squares + c);
        if (c < rows.channels) add_rest(x + c, some, rows.channels - c, pivot + c, sum + c, squares + c);
    }
}

template <bool with_silu>
inline Vector line(Vector x, Vector factor, Vector shift) {
    const Vector y = x * factor + shift;
    if constexpr (with_silu)
        return silu(y);
    else
        return y;
}

template <bool with_silu, typename Number>
void scale(const Number* x, Number* y, Rows rows, const float* factor, const float* shift) {
    for (std::int64_t row = 0; row < rows.count; ++row, x += rows.channels, y += rows.channels) {
        std::int64_t c = 0;
        for (; c + lanes <= rows.channels; c += lanes) store(line<with_silu>(load(x + c), load(factor + c), load(shift + c)), y + c);
        if (const std::int64_t rest = rows.channels - c; rest > 0)
            store_some(line<with_silu>(load_some(x + c, rest), load_some(factor + c, rest), load_some(shift + c, rest)), y + c, rest);
    }
}

template <typename From, typename To>
void convert(const From* x, To* y, std::int64_t count) {
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) store(load(x + i), y + i);
    if (i < count) store_some(load_some(x + i, count - i), y + i, count - i);
}

template <typename Number>
constexpr lcm::nn::RowKernels<Number> row_kernels{add<Number>, scale<false, Number>, scale<true, Number>};

}  // namespace

namespace lcm::nn {

extern const VectorKernels LCM_KERNELS;
const VectorKernels LCM_KERNELS{
    row_kernels<float>, row_kernels<Bf16>, convert<Half, Bf16>, convert<Half, float>, convert<float, Bf16>, convert<Bf16, float>,
};

}  // namespace lcm::nn
