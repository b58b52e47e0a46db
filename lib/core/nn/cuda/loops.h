#pragma once

#include <cstdint>

struct CUstream_st;

/// Loops over channels-last memory for GPUs: raw pointers, no libtorch, so that CUDA's compiler reads nothing else. Sums are made in f32
/// in an order that the shape alone fixes: the same bytes each time.
namespace lcm::nn::cuda {

using Stream = CUstream_st*;

/// Numbers of a type side by side that a thread takes at once.
enum class Number { f32, bf16 };

/// [pictures, pixels, channels] of numbers.
struct Pixels {
    Number number;
    std::int64_t pictures, pixels, channels;
};

/// How many numbers a thread takes at once: channels must be whole multiples of it.
inline int vector_length(Number number) { return number == Number::f32 ? 4 : 8; }
/// The most channels of a pixel.
inline constexpr std::int64_t most_channels = 4096;
/// The most groups of a norm.
inline constexpr std::int64_t most_groups = 512;

/// Of a group norm.
struct GroupNorm {
    std::int64_t groups;
    float eps;
    const void *weight, *bias;  ///< [channels], in the type of the pixels
    bool silu;
    float* sums;  ///< working memory of `sums_size`
};

/// Numbers of working memory.
std::int64_t sums_size(const Pixels& shape, std::int64_t groups);

/// y = (x - mean) / sqrt(variance + eps) * weight + bias by picture and group, then SiLU if asked.
void group_norm(const Pixels& shape, const void* x, void* y, const GroupNorm& norm, Stream stream);

/// x += bias + channel + residual, each of which may be null.
/// @param bias [channels]; @param channel [pictures, channels]; @param residual  of the shape of x
void add(const Pixels& shape, void* x, const void* bias, const void* channel, const void* residual, Stream stream);

/// y [rows, width] = x[:, :width] * gelu(x[:, width:]) of x [rows, 2 * width]; gelu is the exact form.
void geglu(Number number, std::int64_t rows, std::int64_t width, const void* x, void* y, Stream stream);

}  // namespace lcm::nn::cuda
