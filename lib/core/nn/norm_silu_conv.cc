#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/layers.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t whole_bytes = 32 << 20;  // a picture up to this size is not divided
constexpr std::int64_t band_bytes = 24 << 20;   // of a band: small beside a picture, large beside the cost of waking the threads

/// Rows of a band; of the shape alone, so that the bytes do not depend on the machine.
std::int64_t band_rows(const at::Tensor& x) {
    const auto row_bytes = x.size(1) * x.size(3) * static_cast<std::int64_t>(x.element_size());
    return std::max<std::int64_t>(8, band_bytes / row_bytes - 2);
}

/// The epilogue of rows `first` to `first + count` of picture `picture`.
Epilogue part(const Epilogue& epilogue, std::int64_t picture, std::int64_t first, std::int64_t count) {
    Epilogue result = epilogue;
    if (epilogue.channel.defined()) result.channel = epilogue.channel.narrow(0, picture, 1);
    if (epilogue.residual.defined()) result.residual = epilogue.residual.narrow(0, picture, 1).narrow(2, first, count);
    return result;
}

}  // namespace

at::Tensor norm_silu_conv(const GroupNorm& norm, const Conv2d& conv, const at::Tensor& x, const Epilogue& epilogue) {
    const ConvShape& shape = conv.shape_;
    const bool keeps_size = shape.kernel == 3 && shape.stride == 1 && shape.padding == 1;
    if (!conv.packed_ || !keeps_size || !takes_group_norm_kernel(x) || static_cast<std::int64_t>(x.nbytes()) <= whole_bytes * x.size(0))
        return conv(norm.norm_silu(x), epilogue);
    const at::Tensor input = channels_last(x);
    const NormLines lines(input, {norm.groups_, norm.eps_, norm.weight_, norm.bias_, /*silu=*/true});
    at::Tensor result = at::empty({x.size(0), shape.out, x.size(2), x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
    const std::int64_t height = x.size(2), rows = band_rows(x);
    for (std::int64_t picture = 0; picture < x.size(0); ++picture)
        for (std::int64_t first = 0; first < height; first += rows) {
            const std::int64_t count = std::min(rows, height - first);
            const at::Tensor band =
                conv.packed_->inner_rows(lines.rows(picture, first - 1, count + 2), part(epilogue, picture, first, count));
            result.narrow(0, picture, 1).narrow(2, first, count).copy_(band);
        }
    return result;
}

}  // namespace lcm::nn
