#include "lib/core/nn/group_norm_kernel.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>
#include <vector>

#include "lib/core/nn/kernels/vector_kernels.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t block_numbers = 16384;  // numbers in a block of pixels: what a thread takes at a time
constexpr std::int64_t flush_rows = 32;        // pixels added up in f32 before the sums go on in f64

struct Shape {
    std::int64_t pictures, pixels, channels, groups;

    std::int64_t group_width() const { return channels / groups; }
    std::int64_t block_rows() const { return std::max<std::int64_t>(1, block_numbers / channels); }
    std::int64_t blocks() const { return (pixels + block_rows() - 1) / block_rows(); }
};

/// Sum and sum of squares, of numbers less the group's pivot: a mean far from zero costs no digits.
struct Sums {
    double sum = 0, squares = 0;

    /// Those of a few channels.
    void add(const float* sums, const float* more_squares, std::int64_t channels) {
        for (std::int64_t c = 0; c < channels; ++c) {
            sum += sums[c];
            squares += more_squares[c];
        }
    }
};

inline float to_float(float x) { return x; }
inline float to_float(Bf16 bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

template <typename Number>
const RowKernels<Number>& kernels() {
    if constexpr (std::is_same_v<Number, float>)
        return vector_kernels().f32;
    else
        return vector_kernels().bf16;
}

/// The first number of each group, for every channel.
template <typename Number>
std::vector<float> pivots(const Number* picture, const Shape& shape) {
    std::vector<float> pivot(static_cast<std::size_t>(shape.channels));
    for (std::int64_t c = 0; c < shape.channels; ++c)
        pivot[static_cast<std::size_t>(c)] = to_float(picture[c / shape.group_width() * shape.group_width()]);
    return pivot;
}

template <typename Number>
void sum_block(const Number* x, std::int64_t rows, const Shape& shape, const float* pivot, Sums* groups) {
    const std::int64_t width = shape.group_width();
    std::vector<float> sum(static_cast<std::size_t>(shape.channels)), squares(sum);
    for (std::int64_t row = 0; row < rows; row += flush_rows) {
        std::ranges::fill(sum, 0.0F);
        std::ranges::fill(squares, 0.0F);
        kernels<Number>().add(x + row * shape.channels, {std::min(flush_rows, rows - row), shape.channels}, pivot, sum.data(),
                              squares.data());
        for (std::int64_t group = 0; group < shape.groups; ++group)
            groups[group].add(sum.data() + group * width, squares.data() + group * width, width);
    }
}

/// What a picture's numbers are multiplied with, and what is then added.
struct Line {
    std::vector<float> scale, shift;
};

/// @param sums  [blocks, groups] of one picture
Line line_of(const Sums* sums, const float* pivot, const Shape& shape, const GroupNormArguments& arguments) {
    Line line{std::vector<float>(static_cast<std::size_t>(shape.channels)), std::vector<float>(static_cast<std::size_t>(shape.channels))};
    const at::Tensor weights = arguments.weight.to(at::kFloat), biases = arguments.bias.to(at::kFloat);
    const float *weight = weights.const_data_ptr<float>(), *bias = biases.const_data_ptr<float>();
    const double count = static_cast<double>(shape.pixels * shape.group_width());
    for (std::int64_t group = 0; group < shape.groups; ++group) {
        Sums all;
        for (std::int64_t block = 0; block < shape.blocks(); ++block) {
            all.sum += sums[block * shape.groups + group].sum;
            all.squares += sums[block * shape.groups + group].squares;
        }
        const double distance = all.sum / count;
        const double inverse = 1 / std::sqrt(std::max(0.0, all.squares / count - distance * distance) + arguments.eps);
        for (std::int64_t c = group * shape.group_width(); c < (group + 1) * shape.group_width(); ++c) {
            const double scale = inverse * weight[c];
            line.scale[static_cast<std::size_t>(c)] = static_cast<float>(scale);
            line.shift[static_cast<std::size_t>(c)] = static_cast<float>(bias[c] - (pivot[c] + distance) * scale);
        }
    }
    return line;
}

/// Calls `work(picture, block, first row, rows)` for every block, in parallel.
template <typename Work>
void for_each_block(const Shape& shape, const Work& work) {
    at::parallel_for(
        0, shape.pictures * shape.blocks(), 1,
        [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const std::int64_t picture = i / shape.blocks(), block = i % shape.blocks(), first = block * shape.block_rows();
                work(picture, block, first, std::min(shape.block_rows(), shape.pixels - first));
            }
        });
}

/// The line of every picture.
template <typename Number>
std::vector<Line> lines_of(const Number* in, const Shape& shape, const GroupNormArguments& arguments) {
    const std::int64_t picture_numbers = shape.pixels * shape.channels, picture_sums = shape.blocks() * shape.groups;
    std::vector<std::vector<float>> pivot;
    for (std::int64_t i = 0; i < shape.pictures; ++i) pivot.push_back(pivots(in + i * picture_numbers, shape));
    std::vector<Sums> sums(static_cast<std::size_t>(shape.pictures * picture_sums));
    for_each_block(shape, [&](std::int64_t picture, std::int64_t block, std::int64_t first, std::int64_t rows) {
        sum_block(in + picture * picture_numbers + first * shape.channels, rows, shape, pivot[static_cast<std::size_t>(picture)].data(),
                  &sums[static_cast<std::size_t>(picture * picture_sums + block * shape.groups)]);
    });
    std::vector<Line> lines;
    for (std::int64_t i = 0; i < shape.pictures; ++i)
        lines.push_back(
            line_of(&sums[static_cast<std::size_t>(i * picture_sums)], pivot[static_cast<std::size_t>(i)].data(), shape, arguments));
    return lines;
}

template <typename Number>
auto scale_kernel(bool silu) {
    return silu ? kernels<Number>().scale_silu : kernels<Number>().scale;
}

template <typename Number>
void norm(const Number* in, Number* out, const Shape& shape, const GroupNormArguments& arguments) {
    const std::vector<Line> lines = lines_of(in, shape, arguments);
    const auto scale = scale_kernel<Number>(arguments.silu);
    for_each_block(shape, [&](std::int64_t picture, std::int64_t, std::int64_t first, std::int64_t rows) {
        const Line& line = lines[static_cast<std::size_t>(picture)];
        const std::int64_t at = (picture * shape.pixels + first) * shape.channels;
        scale(in + at, out + at, {rows, shape.channels}, line.scale.data(), line.shift.data());
    });
}

Shape shape_of(const at::Tensor& x, const GroupNormArguments& arguments) {
    return {x.size(0), x.size(2) * x.size(3), x.size(1), arguments.groups};
}

/// Calls `work` with the numbers of `x` as f32 or as the bits of bf16.
template <typename Work>
auto with_numbers(const at::Tensor& x, const Work& work) {
    return x.scalar_type() == at::kFloat ? work(x.const_data_ptr<float>()) : work(static_cast<const Bf16*>(x.const_data_ptr()));
}

template <typename Number>
Number* numbers_of(at::Tensor& x, const Number*) {
    return static_cast<Number*>(x.mutable_data_ptr());
}

}  // namespace

bool takes_group_norm_kernel(const at::Tensor& x) {
    const bool type = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
    return x.dim() == 4 && x.device().is_cpu() && type && !at::GradMode::is_enabled();
}

at::Tensor group_norm_kernel(const at::Tensor& x, const GroupNormArguments& arguments) {
    const at::Tensor input = channels_last(x);
    at::Tensor output = at::empty_like(input, at::MemoryFormat::ChannelsLast);
    with_numbers(input, [&](const auto* in) { norm(in, numbers_of(output, in), shape_of(x, arguments), arguments); });
    return output;
}

NormLines::NormLines(const at::Tensor& x, const GroupNormArguments& arguments) : x_(x), silu_(arguments.silu) {
    with_numbers(
        x,
        [&](const auto* in) {
            for (Line& line : lines_of(in, shape_of(x, arguments), arguments)) {
                scale_.push_back(std::move(line.scale));
                shift_.push_back(std::move(line.shift));
            }
        });
}

at::Tensor NormLines::rows(std::int64_t picture, std::int64_t first, std::int64_t count) const {
    const std::int64_t channels = x_.size(1), height = x_.size(2), width = x_.size(3), row_numbers = width * channels;
    at::Tensor result = at::empty({1, channels, count, width}, x_.options(), at::MemoryFormat::ChannelsLast);
    const auto index = static_cast<std::size_t>(picture);
    with_numbers(x_, [&](const auto* in) {
        using Number = std::remove_const_t<std::remove_pointer_t<decltype(in)>>;
        Number* const out = numbers_of(result, in);
        const auto scale = scale_kernel<Number>(silu_);
        at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const std::int64_t y = first + row;
                Number* const to = out + row * row_numbers;
                if (y < 0 || y >= height)
                    std::fill_n(to, row_numbers, Number{});
                else
                    scale(in + (picture * height + y) * row_numbers, to, {width, channels}, scale_[index].data(), shift_[index].data());
            }
        });
    });
    return result;
}

}  // namespace lcm::nn
