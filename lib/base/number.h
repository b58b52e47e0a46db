#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lcm {

/// The whole token as an unsigned decimal integer: digits only, no leading zero, no sign. Locale-independent.
std::optional<std::uint64_t> parse_u64(std::string_view token);

/// The whole token as a signed decimal integer.
std::optional<std::int64_t> parse_i64(std::string_view token);

/// The whole token as a finite double. Locale-independent.
std::optional<double> parse_number(std::string_view token);

/// The shortest decimal that reads back to the same double; integers without a point ("8", "0.18215", "1e-05").
std::string format_number(double value);

/// a * b, or nothing on overflow.
std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b);

}  // namespace lcm
