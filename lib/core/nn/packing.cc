#include "lib/core/nn/packing.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <cstring>

namespace lcm::nn {

std::int64_t Packing::piece_bytes() const {
    return c10::multiply_integers(at::IntArrayRef(sizes).slice(1)) * static_cast<std::int64_t>(c10::elementSize(type));
}

at::Tensor pack(const Packing& packing) {
    at::Tensor packed = at::empty(packing.sizes, packing.type);
    auto* const to = static_cast<char*>(packed.mutable_data_ptr());
    const std::int64_t bytes = packing.piece_bytes();
    at::parallel_for(0, packing.pieces(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) packing.pack(i, to + i * bytes);
    });
    return packed;
}

Packing packing_of(at::Tensor numbers) {
    std::vector<std::int64_t> sizes = numbers.sizes().vec();
    sizes.insert(sizes.begin(), 1);
    const at::ScalarType type = numbers.scalar_type();
    return {std::move(sizes), type, [numbers = numbers.contiguous()](std::int64_t, void* to) {
                std::memcpy(to, numbers.const_data_ptr(), numbers.nbytes());
            }};
}

}  // namespace lcm::nn
