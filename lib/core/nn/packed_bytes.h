#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <span>
#include <vector>

/// Packed weights as bytes: oneDNN's tensors are opaque, and only it can tell how their numbers lie; ours are plain tensors.
namespace lcm::nn {

/// A packed weight taken apart.
struct PackedBytes {
    std::vector<std::int64_t> shape;  ///< of the plain weight, or of ours
    at::ScalarType type;
    std::vector<std::uint8_t> layout;  ///< oneDNN's description of the order; empty: our own
    std::span<const std::byte> numbers;
};

/// Whether this libtorch has the operators for it.
bool has_packed_bytes();
/// The parts of a packed weight, which must outlive them.
PackedBytes to_bytes(const at::Tensor& packed);
/// A packed weight over `bytes`, whose numbers must outlive it and lie at a multiple of 64.
at::Tensor from_bytes(const PackedBytes& bytes);

}  // namespace lcm::nn
