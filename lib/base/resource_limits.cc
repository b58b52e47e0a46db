#include "lib/base/resource_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm {
namespace {

Limits& current() {
    static Limits instance;
    return instance;
}

using Unit = std::pair<std::string_view, std::uint64_t>;
constexpr std::uint64_t kibi = 1024, kilo = 1000;
constexpr std::array byte_units{Unit{"", 1},
                                Unit{"B", 1},
                                Unit{"KiB", kibi},
                                Unit{"MiB", kibi * kibi},
                                Unit{"GiB", kibi * kibi * kibi},
                                Unit{"TiB", kibi * kibi * kibi * kibi},
                                Unit{"kB", kilo},
                                Unit{"MB", kilo * kilo},
                                Unit{"GB", kilo * kilo * kilo}};
constexpr std::array pixel_units{Unit{"", 1}, Unit{"P", 1}, Unit{"KP", kilo}, Unit{"MP", kilo * kilo}, Unit{"GP", kilo * kilo * kilo}};
constexpr std::array time_units{Unit{"", 1}, Unit{"s", 1}, Unit{"m", 60}, Unit{"h", 3600}, Unit{"d", 86400}};

std::span<const Unit> units_of(std::string_view name) {
    if (name == "pixels") return pixel_units;
    return name == "time" ? std::span<const Unit>(time_units) : std::span<const Unit>(byte_units);
}

}  // namespace

std::uint64_t* Limits::find(std::string_view name) {
    if (name == "memory") return &memory;
    if (name == "pixels") return &pixels;
    if (name == "record") return &record;
    return name == "time" ? &seconds : nullptr;
}

const Limits& limits() { return current(); }
void set_limits(const Limits& limits) { current() = limits; }

std::uint64_t parse_limit(std::string_view name, std::string_view amount, const std::string& place) {
    const auto digits = std::min(amount.find_first_not_of("0123456789"), amount.size());
    const auto number = parse_u64(amount.substr(0, digits));
    const auto units = units_of(name);
    const auto unit = std::ranges::find(units, amount.substr(digits), &Unit::first);
    const auto value = number && unit != units.end() ? checked_mul(*number, unit->second) : std::nullopt;
    if (value && *value > 0) return *value;
    throw Error(ExitCode::usage, place, fmt::format("\"{}\" is no amount for {}", escape_control(amount), name),
                "write memory=4GiB, pixels=64MP, record=1GiB or time=10m");
}

void expect_picture_size(std::int64_t width, std::int64_t height, const std::string& what) {
    const auto most = limits().pixels;
    const bool fits = width <= max_side && height <= max_side;
    if (fits && static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) <= most) return;
    throw Error(ExitCode::refused, what,
                fmt::format("is {}x{} pixels, the limit is {} a side and {} in all", width, height, max_side, most),
                fits ? "raise it with --limit pixels=..." : "");
}

}  // namespace lcm
