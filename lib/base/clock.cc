#include "lib/base/clock.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "lib/base/error.h"
#include "lib/base/number.h"

namespace lcm {

namespace {

constexpr std::int64_t last_second = 253402300799;  // 9999-12-31T23:59:59Z: later years have five digits

}  // namespace

std::optional<std::int64_t> source_date_epoch() {
    const char* text = std::getenv("SOURCE_DATE_EPOCH");
    if (text == nullptr || *text == '\0') return std::nullopt;
    const auto seconds = parse_i64(text);
    if (!seconds || *seconds < 0 || *seconds > last_second)
        throw Error(ExitCode::config, "SOURCE_DATE_EPOCH", fmt::format("is \"{}\"", text),
                    fmt::format("give whole seconds since 1970, 0 to {}", last_second));
    return seconds;
}

std::int64_t now_seconds() {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return source_date_epoch().value_or(now.time_since_epoch().count());
}

std::string iso_8601_utc(std::int64_t seconds) {
    const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace lcm
