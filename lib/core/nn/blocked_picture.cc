#include "lib/core/nn/blocked_picture.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cstring>

#include "lib/core/nn/blocked_run.h"
#include "lib/core/nn/kernels/number_kernels.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t pixel_bytes = block_bytes;

Numbers numbers_of(const at::Tensor& x, const PictureChange& change) {
    if (change.steps != nullptr) return Numbers::int8;
    return change.widens || x.scalar_type() == at::kFloat ? Numbers::f32 : Numbers::bf16;
}

Change change_of(const PictureChange& change, Numbers numbers, std::int64_t picture) {
    Change result;
    result.numbers = numbers;
    if (change.norm != nullptr) {
        result.factor = change.norm->factor(picture);
        result.shift = change.norm->shift(picture);
        result.silu = change.norm->silu();
    }
    if (change.steps != nullptr) {
        result.per_step = 1.0F / change.steps->scale;
        result.zero = change.steps->zero_point;
    }
    return result;
}

}  // namespace

// A product at the end reads a group of pixels past the last one.
BlockedPicture::BlockedPicture(const at::Tensor& x, const PictureChange& change, const PictureRows& rows)
    : numbers_(numbers_of(x, change)),
      pictures_(x.size(0)),
      rows_(rows.count),
      width_(x.size(3) + 2 * rows.border + rows.extra),
      blocks_(ceil_divide(x.size(1), block_channels(numbers_))),
      memory_(at::empty({(x.size(0) * blocks_ * rows_ * width_ + group_pixels * rows.stride) * pixel_bytes}, at::kByte)) {
    fill(x, change, rows);
}

void BlockedPicture::fill(const at::Tensor& x, const PictureChange& change, const PictureRows& rows) {
    const std::int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
    const auto* const from = static_cast<const char*>(x.const_data_ptr());
    const FillRow fill_row = number_kernels(x.scalar_type() == at::kFloat ? Numbers::f32 : Numbers::bf16).fill_row;
    const std::int64_t row_bytes = width * channels * static_cast<std::int64_t>(x.element_size());
    auto* const to = static_cast<char*>(memory_.mutable_data_ptr());
    const InputStrides strides = this->strides(1);
    const int outside = change.steps != nullptr ? change.steps->zero_point : 0;
    at::parallel_for(0, x.size(0) * rows_, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t picture = i / rows_, row = i % rows_, y = rows.first + row;
            char* const start = to + picture * strides.picture + row * strides.row;
            const bool inside = y >= 0 && y < height;
            const std::int64_t side = inside ? rows.border * pixel_bytes : strides.row, right = side + rows.extra * pixel_bytes;
            for (std::int64_t block = 0; block < blocks_; ++block) {
                std::memset(start + block * strides.block, outside, side);
                if (inside) std::memset(start + block * strides.block + side + width * pixel_bytes, outside, right);
            }
            if (!inside) continue;
            const char* const numbers = from + (picture * height + y) * row_bytes;
            fill_row({numbers, width, channels, start + side, strides.block}, change_of(change, numbers_, picture));
        }
    });
}

InputStrides BlockedPicture::strides(std::int64_t stride) const {
    const std::int64_t row = width_ * pixel_bytes;
    return {stride * pixel_bytes, stride * row, blocks_ * rows_ * row, rows_ * row};
}

}  // namespace lcm::nn::blocked
