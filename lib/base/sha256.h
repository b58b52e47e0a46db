#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace lcm {

/// Incremental SHA-256 (FIPS 180-4) by libcrypto, which picks the CPU's instructions at run time.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::span<const std::byte> data);

    /// The digest so far as 64 lower-case hex digits; the state goes on.
    std::string hex() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Digest of one piece of memory as 64 lower-case hex digits.
std::string sha256_hex(std::span<const std::byte> data);

}  // namespace lcm
