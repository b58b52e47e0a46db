// Compiled once for each instruction set, with LCM_BYTE_KERNELS as the name of its table. Templates of the standard library must not be
// used here: the linker could take their code, made for this instruction set, for the rest of the program.

#include "lib/core/nn/kernels/byte_kernels.h"

#include "lib/core/nn/kernels/gelu.h"
#include "lib/core/nn/kernels/steps.h"
#include "lib/core/nn/kernels/vector.h"

namespace {

using lcm::nn::Rows;

template <typename Number>
void quantize(const Number* x, std::uint8_t* q, std::int64_t count, float factor, float zero) {
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const Bytes bytes = steps(load(x + i), factor, zero);
        std::memcpy(q + i, &bytes, sizeof bytes);
    }
    if (i == count) return;
    const Bytes bytes = steps(load_some(x + i, count - i), factor, zero);
    std::memcpy(q + i, &bytes, static_cast<std::size_t>(count - i));
}

template <typename Number>
void geglu(const Number* x, Number* y, Rows rows) {
    const std::int64_t width = rows.channels;
    for (std::int64_t row = 0; row < rows.count; ++row, x += 2 * width, y += width) {
        std::int64_t c = 0;
        for (; c + lanes <= width; c += lanes) store(load(x + c) * gelu(load(x + width + c)), y + c);
        if (const std::int64_t rest = width - c; rest > 0)
            store_some(load_some(x + c, rest) * gelu(load_some(x + width + c, rest)), y + c, rest);
    }
}

std::int32_t sum(const std::int8_t* x, std::int64_t count) {
    std::int32_t all = 0;
    for (std::int64_t i = 0; i < count; ++i) all += x[i];
    return all;
}

template <typename Number>
constexpr lcm::nn::ByteRowKernels<Number> row_kernels{quantize<Number>, geglu<Number>};

}  // namespace

namespace lcm::nn {

extern const ByteKernels LCM_BYTE_KERNELS;
const ByteKernels LCM_BYTE_KERNELS{row_kernels<float>, row_kernels<Bf16>, sum};

}  // namespace lcm::nn
