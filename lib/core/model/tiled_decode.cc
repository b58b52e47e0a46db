#include "lib/core/model/tiled_decode.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <vector>

namespace lcm {

namespace {

/// Blends the first pixels of `tile` along `dimension` with the last ones of the tile before it, over `extent` of them.
void blend(const at::Tensor& before, at::Tensor& tile, std::int64_t dimension, std::int64_t extent) {
    extent = std::min({extent, before.size(dimension), tile.size(dimension)});
    std::vector<std::int64_t> shape(4, 1);
    shape[static_cast<std::size_t>(dimension)] = extent;
    const at::Tensor weight = at::arange(extent, tile.options()).div(static_cast<double>(extent)).view(shape);
    const at::Tensor ends = before.narrow(dimension, before.size(dimension) - extent, extent);
    at::Tensor begins = tile.narrow(dimension, 0, extent);
    begins.copy_(ends * (1 - weight) + begins * weight);
}

}  // namespace

at::Tensor decode_in_tiles(const VAE& vae, const at::Tensor& latents, std::int64_t tile) {
    const std::int64_t side = tile / vae.factor(), step = side * 3 / 4, extent = tile / 4, kept = tile - extent;
    const std::int64_t height = latents.size(2), width = latents.size(3);
    if (height <= side && width <= side) return vae.decode(latents);
    at::Tensor picture = at::empty({latents.size(0), pixel_channels, height * vae.factor(), width * vae.factor()}, latents.options());
    std::vector<at::Tensor> above;
    for (std::int64_t y = 0; y < height; y += step) {
        std::vector<at::Tensor> row;
        for (std::int64_t x = 0; x < width; x += step) {
            const at::Tensor part = latents.narrow(2, y, std::min(side, height - y)).narrow(3, x, std::min(side, width - x));
            at::Tensor pixels = vae.decode(part.contiguous());
            if (!above.empty()) blend(above[row.size()], pixels, 2, extent);
            if (!row.empty()) blend(row.back(), pixels, 3, extent);
            row.push_back(pixels);
            const std::int64_t rows = std::min(kept, pixels.size(2)), columns = std::min(kept, pixels.size(3));
            picture.narrow(2, y * vae.factor(), rows)
                .narrow(3, x * vae.factor(), columns)
                .copy_(pixels.narrow(2, 0, rows).narrow(3, 0, columns));
        }
        above = std::move(row);
    }
    return picture;
}

}  // namespace lcm
