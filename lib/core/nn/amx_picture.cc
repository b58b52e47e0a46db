#include "lib/core/nn/amx_picture.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cstring>

#include "lib/core/nn/kernels/picture_amx.h"
#include "lib/core/nn/kernels/tiles_amx.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t pixel_bytes = amx::tile_row_bytes;

std::int64_t blocks_of(std::int64_t channels, bool bytes) {
    const std::int64_t per_block = bytes ? pixel_bytes : pixel_bytes / static_cast<std::int64_t>(sizeof(Bf16));
    return (channels + per_block - 1) / per_block;
}

amx::Change change_of(const PictureChange& change, std::int64_t picture) {
    amx::Change result;
    if (change.norm != nullptr) {
        result.factor = change.norm->factor(picture);
        result.shift = change.norm->shift(picture);
        result.silu = change.norm->silu();
    }
    if (change.steps != nullptr) {
        result.bytes = true;
        result.per_step = 1.0F / change.steps->scale;
        result.zero = change.steps->zero_point;
    }
    return result;
}

}  // namespace

// A tile at the end reads as many pixels past the last one as it has rows.
AmxPicture::AmxPicture(const at::Tensor& x, const PictureChange& change, const PictureRows& rows)
    : rows_(rows.count),
      width_(x.size(3) + 2 * rows.border),
      blocks_(blocks_of(x.size(1), change.steps != nullptr)),
      memory_(at::empty({(x.size(0) * blocks_ * rows_ * width_ + amx::tile_rows * rows.stride) * pixel_bytes}, at::kByte)) {
    fill(x, change, rows);
}

void AmxPicture::fill(const at::Tensor& x, const PictureChange& change, const PictureRows& rows) {
    const std::int64_t channels = x.size(1), height = x.size(2), width = x.size(3);
    const auto* const from = static_cast<const Bf16*>(x.const_data_ptr());
    auto* const to = static_cast<char*>(memory_.mutable_data_ptr());
    const amx::InputStrides strides = this->strides(1);
    const int outside = change.steps != nullptr ? change.steps->zero_point : 0;
    at::parallel_for(0, x.size(0) * rows_, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t picture = i / rows_, row = i % rows_, y = rows.first + row;
            char* const start = to + picture * strides.picture + row * strides.row;
            const bool inside = y >= 0 && y < height;
            const std::int64_t side = inside ? rows.border * pixel_bytes : strides.row;
            for (std::int64_t block = 0; block < blocks_; ++block) {
                std::memset(start + block * strides.block, outside, side);
                if (inside) std::memset(start + block * strides.block + strides.row - side, outside, side);
            }
            if (!inside) continue;
            const Bf16* const numbers = from + (picture * height + y) * width * channels;
            amx::fill_row({numbers, width, channels, start + side, strides.block}, change_of(change, picture));
        }
    });
}

amx::InputStrides AmxPicture::strides(std::int64_t stride) const {
    const std::int64_t row = width_ * pixel_bytes;
    return {stride * pixel_bytes, stride * row, blocks_ * rows_ * row, rows_ * row};
}

}  // namespace lcm::nn
