#pragma once

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

    /// The same as `first.update(first_data)` and `second.update(second_data)`, in little more than the time of the longer one where the
    /// CPU has SHA instructions. The data may be the same; the digests may not.
    static void update_two(Sha256& first, std::span<const std::byte> first_data, Sha256& second, std::span<const std::byte> second_data);

    /// The digest so far as 64 lower-case hex digits; the state goes on.
    std::string hex() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Digest of one piece of memory as 64 lower-case hex digits.
std::string sha256_hex(std::span<const std::byte> data);

}  // namespace lcm
