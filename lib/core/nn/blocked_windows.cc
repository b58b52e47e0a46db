#include "lib/core/nn/blocked_windows.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "lib/core/nn/blocked_conv.h"
#include "lib/core/nn/blocked_run.h"
#include "lib/core/nn/kernels/number_kernels.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t least_inputs = 32;
constexpr std::int64_t band_bytes = 2 << 20;    // of f32 pixels for each thread
constexpr std::int64_t least_rows = 16;         // of a band
constexpr std::int64_t tile_bytes = 512 << 10;  // of windows: what stays in the second cache beside their sums

/// Rows or columns of windows.
struct Stretch {
    std::int64_t first, count;
};

/// Windows of a band, the same of every picture.
struct WindowTile {
    Stretch rows, columns;
};

/// The windows of a tile, [taps][blocks][pictures][rows][columns][64 bytes].
class WindowPicture {
public:
    /// @param tile  of the windows of `input`
    WindowPicture(const BlockedPicture& input, const Product& product, std::int64_t channels, const WindowTile& tile)
        : windows_(product.windows),
          blocks_(ceil_divide(channels, block_channels(product.numbers))),
          rows_(tile.rows.count),
          columns_(tile.columns.count),
          pictures_(input.pictures()),
          memory_(at::empty({window_taps(windows_) * blocks_ * block() + group_pixels * block_bytes}, at::kByte)) {
        fill(input, number_kernels(product.numbers).fill_tiles, tile);
    }

    /// What a product reads.
    void feed(Product& product) const {
        product.in = memory_.const_data_ptr();
        product.in_strides = {block_bytes, columns_ * block_bytes, rows_ * columns_ * block_bytes, block()};
        product.blocks = window_taps(windows_) * blocks_;
        product.rows = rows_;
        product.width = product.joined = columns_;
    }

    std::int64_t bytes() const { return static_cast<std::int64_t>(memory_.nbytes()); }

private:
    /// One window longer than its windows: else the taps of a window, which are written together, would meet in the same lines of the first
    /// cache.
    std::int64_t block() const { return (pictures_ * rows_ * columns_ + 1) * block_bytes; }

    void fill(const BlockedPicture& input, FillTiles fill_tiles, const WindowTile& tile) {
        const InputStrides strides = input.strides(1);
        const auto* const from = static_cast<const char*>(input.data()) + tile.columns.first * window_step(windows_) * strides.pixel;
        auto* const to = static_cast<char*>(memory_.mutable_data_ptr());
        at::parallel_for(0, pictures_ * rows_ * blocks_, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const std::int64_t line = i / blocks_, picture = line / rows_, row = tile.rows.first + line % rows_;
                fill_tiles({.windows = windows_,
                            .from = from + picture * strides.picture + row * window_step(windows_) * strides.row,
                            .from_row = strides.row,
                            .from_block = strides.block,
                            .from_blocks = input.blocks(),
                            .count = columns_,
                            .to = to + line * columns_ * block_bytes,
                            .to_tap = blocks_ * block(),
                            .to_block = block()},
                           i % blocks_);
            }
        });
    }

    Windows windows_;
    std::int64_t blocks_, rows_, columns_, pictures_;
    at::Tensor memory_;
};

/// How a band's windows are shared out. Few windows, or few beside the weights, which are what takes time to read then, are one tile, whose
/// products all threads share. Of more, each tile is one thread's, which finds in its own cache what it has made and waits for no other.
class Tiling {
public:
    Tiling(const Product& product, const at::Tensor& x, std::int64_t rows)
        : rows_(rows), columns_(ceil_divide(x.size(3), window_step(product.windows))) {
        const std::int64_t blocks = window_taps(product.windows) * ceil_divide(x.size(1), block_channels(product.numbers));
        const std::int64_t row_bytes = blocks * block_bytes * x.size(0) * columns_, threads = at::get_num_threads();
        const std::int64_t most = std::max(tile_bytes, weight_bytes(product, blocks) / (2 * threads));
        if (rows * row_bytes <= most * threads) return;
        column_parts_ = std::min(ceil_divide(row_bytes, most), ceil_divide(columns_, group_pixels));
        row_parts_ = std::min(rows, round_up(ceil_divide(rows * row_bytes, most * column_parts_), threads));
    }

    std::int64_t count() const { return row_parts_ * column_parts_; }

    WindowTile tile(std::int64_t index) const {
        return {part(rows_, index / column_parts_, row_parts_, 1), part(columns_, index % column_parts_, column_parts_, group_pixels)};
    }

private:
    static Stretch part(std::int64_t size, std::int64_t index, std::int64_t count, std::int64_t unit) {
        const std::int64_t first = bound(size, index, count, unit);
        return {first, bound(size, index + 1, count, unit) - first};
    }

    std::int64_t rows_, columns_, row_parts_ = 1, column_parts_ = 1;
};

/// Rows of windows of a band, as many for each thread.
std::int64_t band_rows(const Product& product, const at::Tensor& x) {
    const std::int64_t step = window_step(product.windows);
    const std::int64_t row_bytes = step * static_cast<std::int64_t>(sizeof(float)) * x.numel() / x.size(2);
    const std::int64_t threads = at::get_num_threads(), bands = ceil_divide(product.rows * row_bytes, band_bytes * threads);
    return round_up(std::max(least_rows / step, ceil_divide(product.rows, bands)), threads);
}

/// Pictures whose rows all lie behind one another are one, so that groups run over their ends too: small pictures leave none half empty.
void join_pictures(Product& product) {
    const bool lie_so = product.out_strides.picture == product.rows * product.out_strides.row;
    if (product.pictures == 1 || product.bias_picture != 0 || !lie_so) return;
    product.rows *= product.pictures;
    product.pictures = 1;
}

/// The windows of a tile and their products.
void run_tile(Product product, const BlockedPicture& input, std::int64_t channels, const WindowTile& tile) {
    const WindowPicture windows(input, product, channels, tile);
    windows.feed(product);
    product.move(tile.rows.first * product.out_strides.row + tile.columns.first * product.out_strides.pixel);
    join_pictures(product);
    run(product, windows.bytes());
}

/// All tiles of a band of so many rows.
void run_band(const Product& product, const BlockedPicture& input, const at::Tensor& x, std::int64_t rows) {
    const Tiling tiling(product, x, rows);
    if (tiling.count() == 1) return run_tile(product, input, x.size(1), tiling.tile(0));
    at::parallel_for(0, tiling.count(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) run_tile(product, input, x.size(1), tiling.tile(i));
    });
}

/// @param product  into the result, lacks its input
void run_all(Product product, Windows windows, const at::Tensor& x, PictureChange change) {
    product.windows = windows;
    product.rows /= 2;
    product.out_strides.row *= 2;
    product.out_strides.pixel *= 2;
    change.widens = true;
    const std::int64_t step = window_step(windows), rows = product.rows, band = std::min(rows, band_rows(product, x));
    BlockedPicture input(x, change, {.first = -1, .count = step * band + 2, .border = 1, .extra = x.size(3) % step});
    for (std::int64_t first = 0; first < rows; first += band, product.move(band * product.out_strides.row)) {
        const std::int64_t count = std::min(band, rows - first);
        if (first > 0) input.advance(step * first - 1, step * count + 2);
        run_band(product, input, x, count);
    }
}

/// Filled up to that size; without a copy where it has it.
at::Tensor padded(const at::Tensor& x, std::int64_t height, std::int64_t width) {
    if (x.size(2) == height && x.size(3) == width) return channels_last(x);
    return channels_last(at::constant_pad_nd(x, {0, width - x.size(3), 0, height - x.size(2)}));
}

}  // namespace

bool takes_windows(std::int64_t in, Numbers numbers) { return in >= least_inputs && multiplies_windows(numbers); }

Panels window_panels(const Scope& weights, LinearShape shape, Windows windows, const at::Tensor& bias) {
    SumRows rows = plain_rows(shape.out);
    PackedWeight packed = packed_once(weights, windows == Windows::plain ? "windows" : "doubling windows", [&] {
        return window_packing(weights.take_stored("weight", {shape.out, shape.in, 3, 3}), rows, windows, *weights.packs());
    });
    return {std::move(packed), std::move(rows), {}, bias};
}

at::Tensor convolve_windows(const Panels& panels, std::int64_t out, const at::Tensor& x, const PictureChange& change,
                            const Epilogue& epilogue) {
    const std::int64_t height = x.size(2), width = x.size(3), whole_height = round_up(height, 2), whole_width = round_up(width, 2);
    const Plan plan(panels, epilogue, x.size(0));
    at::Tensor result = memory_for(plan, epilogue, {x.size(0), out, whole_height, whole_width}, x.options(),
                                   at::MemoryFormat::ChannelsLast);
    at::Tensor residual;
    if (plan.residual.defined()) residual = padded(plan.residual, whole_height, whole_width);
    run_all(into_picture(panels, plan, result, residual), Windows::plain, x, change);
    if (whole_height != height || whole_width != width) result = channels_last(result.narrow(2, 0, height).narrow(3, 0, width));
    return apply(plan.rest, std::move(result), 1);
}

at::Tensor convolve_doubled(const Panels& panels, std::int64_t out, const at::Tensor& x) {
    at::Tensor result = at::empty({x.size(0), out, 2 * x.size(2), 2 * x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
    run_all(into_picture(panels, Plan(panels, {}, 1), result, {}), Windows::doubling, x, {});
    return result;
}

}  // namespace lcm::nn::blocked
