#pragma once

#include <cstdint>

/// Loops over numbers that lie side by side, compiled once for every instruction set (`vector_kernels.cc`) and picked at run time.
namespace lcm::nn {

/// The bits of a bf16 number: the upper half of an f32.
using Bf16 = std::uint16_t;

/// The bits of an IEEE half.
struct Half {
    std::uint16_t bits;
};

/// `count` pixels of `channels` numbers each, one behind the other.
struct Rows {
    std::int64_t count, channels;
};

/// The loops for one type of numbers.
template <typename Number>
struct RowKernels {
    /// sum[c] += x - pivot[c], squares[c] += (x - pivot[c])^2 over all rows, in f32.
    void (*add)(const Number* x, Rows rows, const float* pivot, float* sum, float* squares);
    /// y = x * factor[c] + shift[c]
    void (*scale)(const Number* x, Number* y, Rows rows, const float* factor, const float* shift);
    /// The same, then silu(y) = y / (1 + e^-y).
    void (*scale_silu)(const Number* x, Number* y, Rows rows, const float* factor, const float* shift);
};

/// All loops, for one instruction set.
struct VectorKernels {
    RowKernels<float> f32;
    RowKernels<Bf16> bf16;
    /// Numbers of one type as those of another; as bf16 rounded to the nearest.
    void (*half_to_bf16)(const Half* x, Bf16* y, std::int64_t count);
    void (*half_to_f32)(const Half* x, float* y, std::int64_t count);
    void (*f32_to_bf16)(const float* x, Bf16* y, std::int64_t count);
    void (*bf16_to_f32)(const Bf16* x, float* y, std::int64_t count);
};

/// Those for the instruction set of this process (`lib/core/tensor/instruction_set.h`).
const VectorKernels& vector_kernels();

}  // namespace lcm::nn
