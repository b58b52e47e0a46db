#pragma once

#include <cstdint>
#include <span>

namespace lcm {

/// Normals of the CUDA generator: Philox4x32-10 (Salmon 2011) with key = seed and counter = (`draw`, 0, element, 0), one number an element:
/// sqrt(-2 ln u) sin(v) with u and v from the first two words (lcm-facts, section 6). Draws are numbered from 0.
void philox_normals(std::uint64_t seed, std::uint64_t draw, std::span<float> out);

}  // namespace lcm
