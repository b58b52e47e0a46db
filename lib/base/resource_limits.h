#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lcm {

/// What a process allows itself (`--limit`, `/etc/lcm/policy.toml`). Zero: no limit of that kind.
struct Limits {
    std::uint64_t memory = 0;                       ///< bytes of memory of its own; mapped files do not count
    std::uint64_t pixels = 64'000'000;              ///< of one picture
    std::uint64_t record = std::uint64_t{1} << 30;  ///< bytes of one record
    std::uint64_t seconds = 0;                      ///< of running time
    bool record_by_policy = false;                  ///< the record's limit comes from a policy file: exceeding it is "refused"

    /// The limit of that name ("memory", "pixels", "record", "time"), or nullptr.
    std::uint64_t* find(std::string_view name);
};

/// The limits of this process: the usual ones until `set_limits`.
const Limits& limits();
/// Called once, before any work.
void set_limits(const Limits& limits);

/// One amount: "4GiB", "500MB" (bytes); "64MP" (pixels); "10m", "90s", "2h" (seconds); plain digits.
/// @param name  which limit it is for
/// @throws Error(usage) naming `place`
std::uint64_t parse_limit(std::string_view name, std::string_view amount, const std::string& place);

/// Refuses pictures of more pixels a side than `max_side`, or in all than `limits().pixels`.
/// @param what  begins the sentence: "the picture", "record 3: latent"
/// @throws Error(refused)
void expect_picture_size(std::int64_t width, std::int64_t height, const std::string& what);

/// Pixels a side of the largest picture read or written.
inline constexpr std::int64_t max_side = 16384;

}  // namespace lcm
