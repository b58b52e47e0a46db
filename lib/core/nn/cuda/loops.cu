#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <algorithm>

#include "lib/core/nn/cuda/loops.h"

namespace lcm::nn::cuda {

namespace {

constexpr int most_threads = 512;
constexpr std::int64_t most_sum_blocks = 128, apply_blocks = 264;  // one and two for each multiprocessor of a large GPU

/// Numbers that lie side by side, as f32.
template <typename T>
struct Vector;

template <>
struct Vector<float> {
    static constexpr int length = 4;
    float number[length];

    __device__ static Vector load(const float* from) {
        const float4 raw = *reinterpret_cast<const float4*>(from);
        return {{raw.x, raw.y, raw.z, raw.w}};
    }
    __device__ void store(float* to) const { *reinterpret_cast<float4*>(to) = make_float4(number[0], number[1], number[2], number[3]); }
};

template <>
struct Vector<__nv_bfloat16> {
    static constexpr int length = 8;
    float number[length];

    __device__ static Vector load(const __nv_bfloat16* from) {
        const uint4 raw = *reinterpret_cast<const uint4*>(from);
        const auto* pairs = reinterpret_cast<const __nv_bfloat162*>(&raw);
        Vector vector;
        for (int i = 0; i < length / 2; ++i) {
            const float2 pair = __bfloat1622float2(pairs[i]);
            vector.number[2 * i] = pair.x;
            vector.number[2 * i + 1] = pair.y;
        }
        return vector;
    }
    __device__ void store(__nv_bfloat16* to) const {
        uint4 raw;
        auto* pairs = reinterpret_cast<__nv_bfloat162*>(&raw);
        for (int i = 0; i < length / 2; ++i) pairs[i] = __floats2bfloat162_rn(number[2 * i], number[2 * i + 1]);
        *reinterpret_cast<uint4*>(to) = raw;
    }
};

__device__ float silu(float x) { return x / (1.0F + __expf(-x)); }
__device__ float gelu(float x) { return 0.5F * x * (1.0F + erff(x * 0.70710678118654752F)); }

/// How a block of threads lies over pixels: `lanes` threads a pixel, `rows` pixels at a time, `span` pixels a block.
struct Layout {
    int lanes, rows, blocks;
    std::int64_t span;

    dim3 threads() const { return dim3(static_cast<unsigned>(lanes), static_cast<unsigned>(rows)); }
};

Layout layout_of(const Pixels& shape, std::int64_t most_blocks) {
    Layout layout{};
    layout.lanes = static_cast<int>(shape.channels / vector_length(shape.number));
    layout.rows = std::max(1, most_threads / layout.lanes);
    const std::int64_t wanted = (shape.pixels + layout.rows - 1) / layout.rows;
    layout.blocks = static_cast<int>(std::clamp<std::int64_t>(wanted, 1, most_blocks));
    layout.span = (shape.pixels + layout.blocks - 1) / layout.blocks;
    return layout;
}

/// Sums of a block's pixels less the group's first number, and of their squares, to `sums` [pictures, blocks, groups, 2].
template <typename T>
__global__ void sum_groups(const T* x, std::int64_t pixels, int channels, int groups, std::int64_t span, float* sums) {
    constexpr int length = Vector<T>::length;
    extern __shared__ float shared[];  // [rows][channels][2]
    const std::int64_t first = blockIdx.x * span, end = min(first + span, pixels);
    const T* const picture = x + blockIdx.y * pixels * channels;
    const int channel = static_cast<int>(threadIdx.x) * length, width = channels / groups;
    float pivot[length], sum[length] = {}, squares[length] = {};
    for (int i = 0; i < length; ++i) pivot[i] = static_cast<float>(picture[(channel + i) / width * width]);
#pragma unroll 4
    for (std::int64_t pixel = first + threadIdx.y; pixel < end; pixel += blockDim.y) {
        const Vector<T> vector = Vector<T>::load(picture + pixel * channels + channel);
        for (int i = 0; i < length; ++i) {
            const float distance = vector.number[i] - pivot[i];
            sum[i] += distance;
            squares[i] += distance * distance;
        }
    }
    for (int i = 0; i < length; ++i) {
        float* const place = shared + 2 * (static_cast<int>(threadIdx.y) * channels + channel + i);
        place[0] = sum[i];
        place[1] = squares[i];
    }
    __syncthreads();
    // Rows first, then the channels of a group: always in one order.
    const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x), threads = static_cast<int>(blockDim.x * blockDim.y);
    for (int i = thread; i < 2 * channels; i += threads)
        for (int row = 1; row < static_cast<int>(blockDim.y); ++row) shared[i] += shared[2 * row * channels + i];
    __syncthreads();
    for (int i = thread; i < 2 * groups; i += threads) {
        float total = 0;
        for (int c = i / 2 * width; c < (i / 2 + 1) * width; ++c) total += shared[2 * c + i % 2];
        sums[(static_cast<std::int64_t>(blockIdx.y) * gridDim.x + blockIdx.x) * 2 * groups + i] = total;
    }
}

/// What every number of a picture is multiplied with and what is then added, by channel, from the sums of all blocks.
template <typename T>
__device__ void find_lines(const T* picture, std::int64_t pixels, int channels, const GroupNorm& norm, int sum_blocks, float* lines) {
    const int thread = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x), threads = static_cast<int>(blockDim.x * blockDim.y);
    const int groups = static_cast<int>(norm.groups), width = channels / groups;
    const float* const sums = norm.sums + static_cast<std::int64_t>(blockIdx.y) * sum_blocks * 2 * groups;
    // Threads share the blocks, since each waits long for a number.
    float *const totals = lines + 2 * channels, *const parts = totals + 2 * groups;
    const int slices = max(1, threads / (2 * groups));
    for (int i = thread; i < 2 * groups * slices; i += threads) {
        float total = 0;
#pragma unroll 8
        for (int block = i / (2 * groups); block < sum_blocks; block += slices) total += sums[block * 2 * groups + i % (2 * groups)];
        parts[i] = total;
    }
    __syncthreads();
    for (int i = thread; i < 2 * groups; i += threads) {
        float total = 0;
        for (int slice = 0; slice < slices; ++slice) total += parts[slice * 2 * groups + i];
        totals[i] = total;
    }
    __syncthreads();
    const float count = static_cast<float>(pixels) * static_cast<float>(width);
    for (int c = thread; c < channels; c += threads) {
        const int group = c / width;
        const float distance = totals[2 * group] / count, variance = totals[2 * group + 1] / count - distance * distance;
        const float inverse = rsqrtf(fmaxf(variance, 0.0F) + norm.eps);
        const float scale = inverse * static_cast<float>(static_cast<const T*>(norm.weight)[c]);
        lines[c] = scale;
        lines[channels + c] =
            static_cast<float>(static_cast<const T*>(norm.bias)[c]) - (static_cast<float>(picture[group * width]) + distance) * scale;
    }
    __syncthreads();
}

template <typename T>
__global__ void apply_lines(const T* x, T* y, std::int64_t pixels, int channels, GroupNorm norm, int sum_blocks, std::int64_t span) {
    constexpr int length = Vector<T>::length;
    extern __shared__ float lines[];  // [2][channels], then [groups][2], and that once more for each slice of the sums
    const std::int64_t offset = blockIdx.y * pixels * channels;
    find_lines(x + offset, pixels, channels, norm, sum_blocks, lines);
    const int channel = static_cast<int>(threadIdx.x) * length;
    float scale[length], shift[length];
    for (int i = 0; i < length; ++i) {
        scale[i] = lines[channel + i];
        shift[i] = lines[channels + channel + i];
    }
    const std::int64_t first = blockIdx.x * span, end = min(first + span, pixels);
#pragma unroll 2
    for (std::int64_t pixel = first + threadIdx.y; pixel < end; pixel += blockDim.y) {
        const std::int64_t place = offset + pixel * channels + channel;
        Vector<T> vector = Vector<T>::load(x + place);
        for (int i = 0; i < length; ++i) {
            const float line = vector.number[i] * scale[i] + shift[i];
            vector.number[i] = norm.silu ? silu(line) : line;
        }
        vector.store(y + place);
    }
}

template <typename T>
__global__ void add_to(T* x, std::int64_t pixels, int channels, const T* bias, const T* channel_of_picture, const T* residual,
                       std::int64_t span) {
    constexpr int length = Vector<T>::length;
    const int channel = static_cast<int>(threadIdx.x) * length;
    float same[length] = {};
    for (int i = 0; i < length; ++i) {
        if (bias) same[i] += static_cast<float>(bias[channel + i]);
        if (channel_of_picture) same[i] += static_cast<float>(channel_of_picture[blockIdx.y * channels + channel + i]);
    }
    const std::int64_t first = blockIdx.x * span, end = min(first + span, pixels);
    for (std::int64_t pixel = first + threadIdx.y; pixel < end; pixel += blockDim.y) {
        const std::int64_t place = (blockIdx.y * pixels + pixel) * channels + channel;
        Vector<T> vector = Vector<T>::load(x + place);
        if (residual) {
            const Vector<T> other = Vector<T>::load(residual + place);
            for (int i = 0; i < length; ++i) vector.number[i] += other.number[i];
        }
        for (int i = 0; i < length; ++i) vector.number[i] += same[i];
        vector.store(x + place);
    }
}

template <typename T>
__global__ void gate(const T* x, T* y, std::int64_t vectors, int lanes) {
    constexpr int length = Vector<T>::length;
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= vectors) return;
    const std::int64_t row = i / lanes, lane = i % lanes;
    const T* const from = x + (2 * row * lanes + lane) * length;
    Vector<T> value = Vector<T>::load(from);
    const Vector<T> gates = Vector<T>::load(from + static_cast<std::int64_t>(lanes) * length);
    for (int k = 0; k < length; ++k) value.number[k] *= gelu(gates.number[k]);
    value.store(y + i * length);
}

/// Calls `work` with a null pointer of the type of the numbers.
template <typename Work>
void with_type(Number number, const Work& work) {
    if (number == Number::f32)
        work(static_cast<float*>(nullptr));
    else
        work(static_cast<__nv_bfloat16*>(nullptr));
}

}  // namespace

std::int64_t sums_size(const Pixels& shape, std::int64_t groups) {
    return shape.pictures * layout_of(shape, most_sum_blocks).blocks * groups * 2;
}

void group_norm(const Pixels& shape, const void* x, void* y, const GroupNorm& norm, Stream stream) {
    const Layout sums = layout_of(shape, most_sum_blocks), apply = layout_of(shape, apply_blocks);
    const auto pictures = static_cast<unsigned>(shape.pictures);
    const int channels = static_cast<int>(shape.channels), groups = static_cast<int>(norm.groups);
    const std::size_t sum_bytes = sizeof(float) * 2 * static_cast<std::size_t>(sums.rows * channels);
    const int slices = std::max(1, apply.lanes * apply.rows / (2 * groups));
    const std::size_t line_bytes = sizeof(float) * 2 * static_cast<std::size_t>(channels + groups * (1 + slices));
    with_type(shape.number, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        const auto* const from = static_cast<const T*>(x);
        const dim3 sum_grid(static_cast<unsigned>(sums.blocks), pictures), apply_grid(static_cast<unsigned>(apply.blocks), pictures);
        sum_groups<T><<<sum_grid, sums.threads(), sum_bytes, stream>>>(from, shape.pixels, channels, groups, sums.span, norm.sums);
        apply_lines<T><<<apply_grid, apply.threads(), line_bytes, stream>>>(from, static_cast<T*>(y), shape.pixels, channels, norm, sums.blocks,
                                                                            apply.span);
    });
}

void add(const Pixels& shape, void* x, const void* bias, const void* channel, const void* residual, Stream stream) {
    const Layout layout = layout_of(shape, apply_blocks);
    const dim3 grid(static_cast<unsigned>(layout.blocks), static_cast<unsigned>(shape.pictures));
    with_type(shape.number, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        add_to<T><<<grid, layout.threads(), 0, stream>>>(static_cast<T*>(x), shape.pixels, static_cast<int>(shape.channels),
                                                         static_cast<const T*>(bias), static_cast<const T*>(channel),
                                                         static_cast<const T*>(residual), layout.span);
    });
}

void geglu(Number number, std::int64_t rows, std::int64_t width, const void* x, void* y, Stream stream) {
    constexpr int threads = 256;
    const int lanes = static_cast<int>(width / vector_length(number));
    const std::int64_t vectors = rows * lanes;
    const auto blocks = static_cast<unsigned>((vectors + threads - 1) / threads);
    with_type(number, [&](auto* type) {
        using T = std::remove_pointer_t<decltype(type)>;
        gate<T><<<blocks, threads, 0, stream>>>(static_cast<const T*>(x), static_cast<T*>(y), vectors, lanes);
    });
}

}  // namespace lcm::nn::cuda
