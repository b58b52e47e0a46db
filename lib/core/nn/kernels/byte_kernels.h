#pragma once

#include <cstdint>

#include "lib/core/nn/kernels/vector_kernels.h"

/// Loops around products of bytes, compiled as those of `vector_kernels.h`.
namespace lcm::nn {

template <typename Number>
struct ByteRowKernels {
    /// q = clamp(round(x * factor) + zero, 0, 255), halves to even.
    void (*quantize)(const Number* x, std::uint8_t* q, std::int64_t count, float factor, float zero);
    /// a * gelu(b) of rows [a | b], each `rows.channels` wide.
    void (*geglu)(const Number* x, Number* y, Rows rows);
};

/// All of them, for one instruction set.
struct ByteKernels {
    ByteRowKernels<float> f32;
    ByteRowKernels<Bf16> bf16;
    std::int32_t (*sum)(const std::int8_t* x, std::int64_t count);
};

/// Those for the instruction set of this process.
const ByteKernels& byte_kernels();

}  // namespace lcm::nn
