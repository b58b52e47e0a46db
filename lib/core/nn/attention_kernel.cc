#include "lib/core/nn/attention_kernel.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "lib/core/nn/blocked_run.h"
#include "lib/core/nn/kernels/attention.h"
#include "lib/core/tensor/instruction_set.h"

namespace lcm::nn {

#if defined(__x86_64__)

namespace {

/// Tokens [B,T,H*d] whose heads are looked at one by one.
struct Heads {
    const Bf16* numbers;
    std::int64_t picture_stride, token_stride, count, width;

    Heads(const at::Tensor& x, std::int64_t heads)
        : numbers(static_cast<const Bf16*>(x.const_data_ptr())),
          picture_stride(x.stride(0)),
          token_stride(x.stride(1)),
          count(heads),
          width(x.size(2) / heads) {}

    /// From token `first` of head `index`, counted over all pictures.
    blocked::TokenRows rows(std::int64_t index, std::int64_t first) const {
        return {numbers + index / count * picture_stride + first * token_stride + index % count * width, token_stride};
    }
};

bool lies_by_token(const at::Tensor& x) { return x.dim() == 3 && x.stride(2) == 1; }

/// Packed keys and values of one head, one behind the other.
struct Packed {
    blocked::HeadShape shape;
    at::Tensor numbers;  ///< [heads, keys and values]

    const Bf16* keys(std::int64_t head) const { return static_cast<const Bf16*>(numbers.const_data_ptr()) + head * numbers.size(1); }
    const Bf16* values(std::int64_t head) const { return keys(head) + shape.packed_keys(); }
};

Packed pack(const at::Tensor& k, const at::Tensor& v, std::int64_t heads) {
    const Heads keys(k, heads), values(v, heads);
    const blocked::HeadShape shape{k.size(1), keys.width};
    const std::int64_t count = k.size(0) * heads;
    Packed packed{shape, at::empty({count, shape.packed_keys() + shape.packed_values()}, k.options())};
    auto* const numbers = static_cast<Bf16*>(packed.numbers.mutable_data_ptr());
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t head = begin; head < end; ++head) {
            Bf16* const to = numbers + head * packed.numbers.size(1);
            blocked::pack_keys(keys.rows(head, 0), shape, to);
            blocked::pack_values(values.rows(head, 0), shape, to + shape.packed_keys());
        }
    });
    return packed;
}

}  // namespace

bool takes_attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads) {
    const bool cpu = q.device().is_cpu() && q.scalar_type() == at::kBFloat16 && k.scalar_type() == q.scalar_type();
    if (!cpu || at::GradMode::is_enabled() || instruction_set() < InstructionSet::avx512_bf16) return false;
    return lies_by_token(q) && lies_by_token(k) && lies_by_token(v) && q.size(2) / heads % 2 == 0 && k.size(1) > 0;
}

at::Tensor attention_kernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::int64_t heads) {
    const blocked::HeadKernel& kernel = blocked::head_kernel();
    const Packed packed = pack(k, v, heads);
    const blocked::HeadShape& shape = packed.shape;
    at::Tensor result = at::empty(q.sizes(), q.options());
    const Heads queries(q, heads), out(result, heads);
    const auto scale = static_cast<float>(std::numbers::log2e / std::sqrt(static_cast<double>(shape.width)));
    const std::int64_t tokens = q.size(1), blocks = (tokens + blocked::query_block - 1) / blocked::query_block, count = q.size(0) * heads;
    // Threads share each head's keys, so that they stay in the cache: blocks are the outer range where there are enough of them.
    const std::int64_t shared = blocks >= 2 * at::get_num_threads() ? count : 1;
    at::parallel_for(0, blocks * count / shared, 1, [&](std::int64_t begin, std::int64_t end) {
        blocked::Scratch scratch(shape.scratch());
        kernel.begin();
        for (std::int64_t outer = 0; outer < shared; ++outer)
            for (std::int64_t i = begin; i < end; ++i) {
                const std::int64_t head = shared == 1 ? i / blocks : outer, first = i % blocks * blocked::query_block;
                const blocked::TokenRows to = out.rows(head, first);
                kernel.attend(shape, {.queries = queries.rows(head, first),
                                      .count = std::min(blocked::query_block, tokens - first),
                                      .keys = packed.keys(head),
                                      .values = packed.values(head),
                                      .scale = scale,
                                      .scratch = scratch.numbers(),
                                      .out = const_cast<Bf16*>(to.first),
                                      .out_stride = to.stride});
            }
        kernel.end();
    });
    return result;
}

#else

bool takes_attention_kernel(const at::Tensor&, const at::Tensor&, const at::Tensor&, std::int64_t) { return false; }
at::Tensor attention_kernel(const at::Tensor& q, const at::Tensor&, const at::Tensor&, std::int64_t) { return q; }

#endif

std::string_view attention_kernels(at::ScalarType type) {
    return type == at::kBFloat16 && instruction_set() >= InstructionSet::avx512_bf16 ? name(instruction_set()) : "libtorch";
}

}  // namespace lcm::nn
