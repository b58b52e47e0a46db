#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lcm {

/// The eight words of a SHA-256 between two blocks (FIPS 180-4, section 6.2).
using Sha256Words = std::span<std::uint32_t, 8>;

/// One of two digests that go on side by side.
struct Sha256Lane {
    Sha256Words words;
    const std::byte* data;  ///< blocks of 64 bytes
};

/// Whether this CPU has the SHA instructions that `sha256_two_lanes` is written for.
bool has_sha256_lanes();

/// Takes `blocks` blocks of both lanes. Each block waits for the one before it, so that two chains take little longer than one.
void sha256_two_lanes(Sha256Lane first, Sha256Lane second, std::size_t blocks);

}  // namespace lcm
