#include "lib/core/nn/convert.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "lib/core/nn/kernels/vector_kernels.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t block = 1 << 16;  // numbers that a thread takes at a time

template <typename Number>
void convert(const Half* from, Number* to, std::int64_t count, void (*kernel)(const Half*, Number*, std::int64_t)) {
    at::parallel_for(
        0, (count + block - 1) / block, 1,
        [&](std::int64_t begin, std::int64_t end) {
            kernel(from + begin * block, to + begin * block, std::min(count, end * block) - begin * block);
        });
}

}  // namespace

at::Tensor to_type(const at::Tensor& weight, at::ScalarType type) {
    const bool ours = weight.scalar_type() == at::kHalf && (type == at::kBFloat16 || type == at::kFloat) && weight.device().is_cpu();
    if (!ours || !weight.is_contiguous()) return weight.to(type);
    at::Tensor result = at::empty(weight.sizes(), weight.options().dtype(type));
    const auto* const from = static_cast<const Half*>(weight.const_data_ptr());
    if (type == at::kFloat)
        convert(from, result.mutable_data_ptr<float>(), weight.numel(), vector_kernels().half_to_f32);
    else
        convert(from, static_cast<Bf16*>(result.mutable_data_ptr()), weight.numel(), vector_kernels().half_to_bf16);
    return result;
}

}  // namespace lcm::nn
