#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lib/stream/record.h"

namespace lcm {

/// Seeded normal noise, equal to `torch.randn` with `torch.Generator("cpu").manual_seed(seed)` of the linked libtorch.
///
/// Only the low 32 bits of the seed count (lcm-facts, section 6).
class NoiseGenerator {
public:
    explicit NoiseGenerator(std::uint64_t seed);
    NoiseGenerator(NoiseGenerator&&) = default;  // move-only: a copy would share the state
    NoiseGenerator& operator=(NoiseGenerator&&) = default;

    /// Standard normals of this shape and type, on the CPU; counts as one draw.
    at::Tensor normal(at::IntArrayRef shape, at::ScalarType type = at::kFloat);

    /// The seed it began with, all 64 bits.
    std::uint64_t seed() const { return generator_.current_seed(); }

    /// Full-size draws taken so far (`lcm.rng_draws`).
    std::uint64_t draws() const { return draws_; }

    /// The generator's 5056 bytes of state as the tensor `rng.state`.
    TensorBytes state() const;

    /// A generator that goes on from a saved state.
    /// @throws Error(data) when it is not U8 [5056] or holds what no run of the generator leaves behind
    static NoiseGenerator restore(const TensorBytes& state, std::uint64_t draws);

private:
    at::Generator generator_;
    std::uint64_t draws_ = 0;
};

}  // namespace lcm
