#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "lib/stream/record.h"

namespace lcm {

/// Where a seed's numbers come from (`lcm.rng`).
enum class Rng {
    torch_cpu,  ///< `torch.randn` with `torch.Generator("cpu").manual_seed(seed)` of the linked libtorch
    philox,     ///< the same with a CUDA generator
};

/// What fixes the noise of a picture.
struct NoiseSource {
    std::uint64_t seed = 0;
    Rng rng = Rng::torch_cpu;
    /// Pictures that share the generator, and which of them this is: each draw is made for all of them, as for one batch.
    std::int64_t rows = 1, row = 0;
};

/// Seeded normal noise. Of a torch-cpu seed only the low 32 bits count (lcm-facts, section 6).
class NoiseGenerator {
public:
    explicit NoiseGenerator(const NoiseSource& source);
    explicit NoiseGenerator(std::uint64_t seed) : NoiseGenerator(NoiseSource{seed}) {}
    NoiseGenerator(NoiseGenerator&&) = default;  // move-only: a copy would share the state
    NoiseGenerator& operator=(NoiseGenerator&&) = default;

    /// Standard normals of this shape and type, on the CPU; counts as one draw. With several rows the first dimension must be 1.
    at::Tensor normal(at::IntArrayRef shape, at::ScalarType type = at::kFloat);

    /// The seed it began with, all 64 bits.
    std::uint64_t seed() const { return source_.seed; }
    Rng rng() const { return source_.rng; }

    /// Full-size draws taken so far (`lcm.rng_draws`).
    std::uint64_t draws() const { return draws_; }

    /// The 5056 bytes of state of a torch-cpu generator as the tensor `rng.state`; philox has none beside seed and draws.
    TensorBytes state() const;

    /// A torch-cpu generator that goes on from a saved state. Its seed is the one in the state.
    /// @throws Error(data) when it is not U8 [5056] or holds what no run of the generator leaves behind
    static NoiseGenerator restore(const TensorBytes& state, std::uint64_t draws, const NoiseSource& source = {});
    /// A philox generator that goes on after `draws` draws.
    static NoiseGenerator restore(const NoiseSource& source, std::uint64_t draws);

private:
    at::Tensor draw(at::IntArrayRef shape, at::ScalarType type);

    NoiseSource source_;
    at::Generator generator_;  ///< undefined for philox
    std::uint64_t draws_ = 0;
};

}  // namespace lcm
