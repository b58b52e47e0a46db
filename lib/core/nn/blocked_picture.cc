#include "lib/core/nn/blocked_picture.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
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
    : x_(x),
      change_(change),
      rows_(rows),
      numbers_(numbers_of(x, change)),
      most_rows_(rows.count),
      width_(x.size(3) + 2 * rows.border + rows.extra),
      blocks_(ceil_divide(x.size(1), block_channels(numbers_))),
      memory_(at::empty({(x.size(0) * blocks_ * most_rows_ * width_ + group_pixels * rows.stride) * pixel_bytes}, at::kByte)) {
    fill(0, rows_.count);
}

void BlockedPicture::advance(std::int64_t first, std::int64_t count) {
    const std::int64_t distance = first - rows_.first, kept = std::clamp<std::int64_t>(rows_.count - distance, 0, count);
    if (kept > 0) keep(distance, kept);
    rows_.first = first;
    rows_.count = count;
    fill(kept, count);
}

void BlockedPicture::keep(std::int64_t begin, std::int64_t count) {
    const InputStrides strides = this->strides(1);
    at::parallel_for(0, pictures() * blocks_, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            char* const rows = memory() + i * strides.block;
            std::memmove(rows, rows + begin * strides.row, static_cast<std::size_t>(count * strides.row));
        }
    });
}

void BlockedPicture::fill(std::int64_t begin, std::int64_t end) {
    const std::int64_t count = end - begin;
    at::parallel_for(0, pictures() * count, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) fill_row(i / count, begin + i % count);
    });
}

void BlockedPicture::fill_row(std::int64_t picture, std::int64_t row) {
    const std::int64_t channels = x_.size(1), height = x_.size(2), width = x_.size(3), y = rows_.first + row;
    const InputStrides strides = this->strides(1);
    char* const start = memory() + picture * strides.picture + row * strides.row;
    const bool inside = y >= 0 && y < height;
    const int outside = change_.steps != nullptr ? change_.steps->zero_point : 0;
    const std::int64_t side = inside ? rows_.border * pixel_bytes : strides.row, right = side + rows_.extra * pixel_bytes;
    for (std::int64_t block = 0; block < blocks_; ++block) {
        std::memset(start + block * strides.block, outside, side);
        if (inside) std::memset(start + block * strides.block + side + width * pixel_bytes, outside, right);
    }
    if (!inside) return;
    const FillRow fill = number_kernels(x_.scalar_type() == at::kFloat ? Numbers::f32 : Numbers::bf16).fill_row;
    const std::int64_t row_bytes = width * channels * static_cast<std::int64_t>(x_.element_size());
    const char* const numbers = static_cast<const char*>(x_.const_data_ptr()) + (picture * height + y) * row_bytes;
    fill({numbers, width, channels, start + side, strides.block}, change_of(change_, numbers_, picture));
}

InputStrides BlockedPicture::strides(std::int64_t stride) const {
    const std::int64_t row = width_ * pixel_bytes;
    return {stride * pixel_bytes, stride * row, blocks_ * most_rows_ * row, most_rows_ * row};
}

}  // namespace lcm::nn::blocked
