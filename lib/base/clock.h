#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lcm {

/// SOURCE_DATE_EPOCH in seconds since 1970, which rules every time that is written into a file; nothing when it is unset or empty.
/// @throws Error(config) when it is no whole number in 0..253402300799 (the end of year 9999)
std::optional<std::int64_t> source_date_epoch();

/// Seconds since 1970: SOURCE_DATE_EPOCH, else the clock. @throws Error(config)
std::int64_t now_seconds();

/// "2026-01-31T23:59:59Z". @param seconds  since 1970, at most 253402300799
std::string iso_8601_utc(std::int64_t seconds);

}  // namespace lcm
