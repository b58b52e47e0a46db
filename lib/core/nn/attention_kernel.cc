#include "lib/core/nn/attention_kernel.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "lib/core/nn/blocked_panels.h"
#include "lib/core/nn/blocked_run.h"
#include "lib/core/nn/kernels/number_kernels.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn {

namespace {

/// Tokens [B,T,H*d] whose heads are looked at one by one.
struct Heads {
    const char* numbers;
    std::int64_t number_bytes, picture_stride, token_stride, count, width;

    Heads(const at::Tensor& x, std::int64_t heads)
        : numbers(static_cast<const char*>(x.const_data_ptr())),
          number_bytes(x.element_size()),
          picture_stride(x.stride(0)),
          token_stride(x.stride(1)),
          count(heads),
          width(x.size(2) / heads) {}

    /// From token `first` of head `index`, counted over all pictures.
    blocked::TokenRows rows(std::int64_t index, std::int64_t first) const {
        const std::int64_t number = index / count * picture_stride + first * token_stride + index % count * width;
        return {numbers + number * number_bytes, token_stride};
    }
};

bool lies_by_token(const at::Tensor& x) { return x.dim() == 3 && x.stride(2) == 1; }

/// Packed keys and values of one head, one behind the other.
struct Packed {
    blocked::HeadSizes sizes;
    std::int64_t number_bytes, value_place, head_bytes;
    at::Tensor memory;
    std::vector<float> key_squares;  ///< of each head

    Packed(const blocked::HeadSizes& head, std::int64_t bytes, std::int64_t count)
        : sizes(head),
          number_bytes(bytes),
          value_place(blocked::round_up(sizes.keys * number_bytes, blocked::block_bytes)),
          head_bytes(value_place + blocked::round_up(sizes.values * number_bytes, blocked::block_bytes)),
          memory(at::empty({count * head_bytes}, at::kByte)),
          key_squares(static_cast<std::size_t>(count)) {}

    char* keys(std::int64_t head) const { return static_cast<char*>(memory.data_ptr()) + head * head_bytes; }
    char* values(std::int64_t head) const { return keys(head) + value_place; }
};

Packed pack(const blocked::HeadKernel& kernel, const blocked::HeadShape& shape, const Heads& keys, const Heads& values,
            std::int64_t count) {
    Packed packed(kernel.sizes(shape), keys.number_bytes, count);
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t head = begin; head < end; ++head) {
            packed.key_squares[static_cast<std::size_t>(head)] = kernel.pack_keys(keys.rows(head, 0), shape, packed.keys(head));
            kernel.pack_values(values.rows(head, 0), shape, packed.values(head));
        }
    });
    return packed;
}

}  // namespace

bool takes_attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads) {
    const bool one_type = k.scalar_type() == q.scalar_type() && v.scalar_type() == q.scalar_type();
    if (!q.device().is_cpu() || !one_type || at::GradMode::is_enabled() || !multiplies(q.scalar_type())) return false;
    const bool in_words = q.scalar_type() == at::kFloat || q.size(2) / heads % 2 == 0;
    return lies_by_token(q) && lies_by_token(k) && lies_by_token(v) && in_words && k.size(1) > 0;
}

at::Tensor attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads) {
    const blocked::HeadKernel& kernel = blocked::number_kernels(blocked::numbers_of(q.scalar_type())).attention;
    at::Tensor result = at::empty(q.sizes(), q.options());
    const Heads queries(q, heads), keys(k, heads), values(v, heads), out(result, heads);
    const blocked::HeadShape shape{k.size(1), keys.width};
    const Packed packed = pack(kernel, shape, keys, values, q.size(0) * heads);
    const auto scale = static_cast<float>(std::numbers::log2e / std::sqrt(static_cast<double>(shape.width)));
    const std::int64_t tokens = q.size(1), blocks = blocked::ceil_divide(tokens, blocked::query_block), count = q.size(0) * heads;
    // Threads share each head's keys, so that they stay in the cache: blocks are the outer range where there are enough of them.
    const std::int64_t shared = blocks >= 2 * at::get_num_threads() ? count : 1;
    at::parallel_for(0, blocks * count / shared, 1, [&](std::int64_t begin, std::int64_t end) {
        blocked::Scratch scratch(packed.sizes.scratch);
        kernel.begin();
        for (std::int64_t outer = 0; outer < shared; ++outer)
            for (std::int64_t i = begin; i < end; ++i) {
                const std::int64_t head = shared == 1 ? i / blocks : outer, first = i % blocks * blocked::query_block;
                const blocked::TokenRows to = out.rows(head, first);
                kernel.attend(shape, {.queries = queries.rows(head, first),
                                      .count = std::min(blocked::query_block, tokens - first),
                                      .keys = packed.keys(head),
                                      .values = packed.values(head),
                                      .key_square = packed.key_squares[static_cast<std::size_t>(head)],
                                      .scale = scale,
                                      .scratch = scratch.numbers(),
                                      .out = const_cast<void*>(to.first),
                                      .out_stride = to.stride});
            }
        kernel.end();
    });
    return result;
}

}  // namespace lcm::nn
