#include "lib/core/tensor/philox.h"

#include <array>
#include <cmath>

namespace lcm {
namespace {

using Words = std::array<std::uint32_t, 4>;

std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

Words philox(Words counter, std::array<std::uint32_t, 2> key) {
    constexpr int rounds = 10;
    constexpr std::uint64_t first_factor = 0xD2511F53, second_factor = 0xCD9E8D57;
    constexpr std::uint32_t first_weyl = 0x9E3779B9, second_weyl = 0xBB67AE85;
    for (int round = 0; round < rounds; ++round) {
        const std::uint64_t first = first_factor * counter[0], second = second_factor * counter[2];
        counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1], low(first)};
        key[0] += first_weyl;
        key[1] += second_weyl;
    }
    return counter;
}

/// Box-Muller, with the constants of cuRAND in float32.
float normal(std::uint32_t first, std::uint32_t second) {
    constexpr float step = 2.3283064e-10F, full_turn = 2.3283064e-10F * 6.2831855F;
    const float u = static_cast<float>(first) * step + step / 2, v = static_cast<float>(second) * full_turn + full_turn / 2;
    return std::sqrt(-2.0F * std::log(u)) * std::sin(v);
}

}  // namespace

void philox_normals(std::uint64_t seed, std::uint64_t draw, std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        const Words words = philox({low(draw), 0, low(i), 0}, {low(seed), high(seed)});
        out[i] = normal(words[0], words[1]);
    }
}

}  // namespace lcm
