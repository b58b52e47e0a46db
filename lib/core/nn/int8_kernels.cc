#include "lib/core/nn/int8_kernels.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "lib/core/nn/kernels/byte_kernels.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t block_numbers = 16384;  // numbers that a thread takes at a time

/// `place` gives the first step of a row.
template <typename Number, typename Place>
void quantize_rows(const Number* x, Rows rows, const ByteRowKernels<Number>& kernels, const StepRange& range, const Place& place) {
    const float factor = 1.0F / range.scale, zero = range.zero_point;
    const std::int64_t grain = std::max<std::int64_t>(1, block_numbers / rows.channels);
    at::parallel_for(0, rows.count, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) kernels.quantize(x + row * rows.channels, place(row), rows.channels, factor, zero);
    });
}

template <typename Place>
void quantize_rows(const at::Tensor& x, Rows rows, const StepRange& range, const Place& place) {
    if (x.scalar_type() == at::kBFloat16)
        quantize_rows(static_cast<const Bf16*>(x.const_data_ptr()), rows, byte_kernels().bf16, range, place);
    else
        quantize_rows(x.const_data_ptr<float>(), rows, byte_kernels().f32, range, place);
}

/// The pixels around each picture.
void fill_border(const at::Tensor& padded, std::int64_t border, std::uint8_t value) {
    const std::int64_t channels = padded.size(1), height = padded.size(2), row = padded.size(3) * channels, side = border * channels;
    auto* bytes = padded.mutable_data_ptr<std::uint8_t>();
    for (std::int64_t line = 0; line < padded.size(0) * height; ++line, bytes += row) {
        const std::int64_t y = line % height;
        if (y < border || y >= height - border) {
            std::memset(bytes, value, row);
        } else {
            std::memset(bytes, value, side);
            std::memset(bytes + row - side, value, side);
        }
    }
}

}  // namespace

at::Tensor quantize_steps(const at::Tensor& x, const StepRange& range) {
    const at::Tensor from = x.contiguous();
    at::Tensor steps = at::empty(x.sizes(), at::kByte);
    auto* bytes = steps.mutable_data_ptr<std::uint8_t>();
    const std::int64_t width = x.size(-1);
    quantize_rows(from, {x.numel() / width, width}, range, [=](std::int64_t row) { return bytes + row * width; });
    return steps;
}

at::Tensor quantize_picture(const at::Tensor& x, const StepRange& range, std::int64_t border) {
    const at::Tensor from = channels_last(x);
    const std::int64_t batch = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
    const std::int64_t padded_width = width + 2 * border, padded_height = height + 2 * border;
    at::Tensor steps = at::empty({batch, channels, padded_height, padded_width}, at::TensorOptions().dtype(at::kByte),
                                 at::MemoryFormat::ChannelsLast);
    if (border > 0) fill_border(steps, border, range.zero_point);
    auto* bytes = steps.mutable_data_ptr<std::uint8_t>();
    quantize_rows(from, {batch * height, width * channels}, range, [=](std::int64_t line) {
        const std::int64_t picture = line / height, y = line % height;
        return bytes + ((picture * padded_height + y + border) * padded_width + border) * channels;
    });
    return steps;
}

at::Tensor row_sums(const at::Tensor& weight) {
    const at::Tensor from = weight.contiguous();
    at::Tensor sums = at::empty({weight.size(0)}, at::kInt);
    const std::int64_t width = weight.numel() / weight.size(0);
    const auto* x = from.const_data_ptr<std::int8_t>();
    auto* sum = sums.mutable_data_ptr<std::int32_t>();
    at::parallel_for(0, weight.size(0), 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) sum[row] = byte_kernels().sum(x + row * width, width);
    });
    return sums;
}

at::Tensor geglu_kernel(const at::Tensor& x) {
    const at::Tensor from = x.contiguous();
    const std::int64_t width = x.size(-1) / 2, count = x.numel() / (2 * width);
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = width;
    at::Tensor result = at::empty(shape, x.options());
    const auto run = [&]<typename Number>(const Number* in, Number* out, const ByteRowKernels<Number>& kernels) {
        at::parallel_for(0, count, std::max<std::int64_t>(1, block_numbers / width), [&](std::int64_t begin, std::int64_t end) {
            kernels.geglu(in + 2 * begin * width, out + begin * width, {end - begin, width});
        });
    };
    if (x.scalar_type() == at::kBFloat16)
        run(static_cast<const Bf16*>(from.const_data_ptr()), static_cast<Bf16*>(result.mutable_data_ptr()), byte_kernels().bf16);
    else
        run(from.const_data_ptr<float>(), result.mutable_data_ptr<float>(), byte_kernels().f32);
    return result;
}

}  // namespace lcm::nn
