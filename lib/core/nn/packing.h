#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace lcm::nn {

/// A weight in the order in which kernels read it (`core/nn/packed.h`).
struct PackedWeight {
    at::Tensor weight;                   ///< undefined: none
    std::shared_ptr<const void> memory;  ///< kept alive with it, where the tensor does not own its numbers
};

/// How a packed weight is made: piece by piece of its first dimension, in any order and in any number of threads at once.
struct Packing {
    std::vector<std::int64_t> sizes;
    at::ScalarType type = at::kFloat;
    std::function<void(std::int64_t index, void* to)> pack;  ///< writes every byte of a piece

    std::int64_t pieces() const { return sizes.front(); }
    std::int64_t piece_bytes() const;
};

/// The packed weight in memory.
at::Tensor pack(const Packing& packing);

/// Gives `numbers` as they are, in one piece: [1,...].
Packing packing_of(at::Tensor numbers);

}  // namespace lcm::nn
