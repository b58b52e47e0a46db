#include "lib/base/number.h"

#include <charconv>
#include <cmath>

namespace lcm {

namespace {

template <typename Number>
std::optional<Number> parse_whole(std::string_view token) {
    Number value{};
    const char* end = token.data() + token.size();
    const auto [stopped, fault] = std::from_chars(token.data(), end, value);
    if (fault != std::errc{} || stopped != end) return std::nullopt;
    return value;
}

}  // namespace

std::optional<std::uint64_t> parse_u64(std::string_view token) {
    if (token.size() > 1 && token.front() == '0') return std::nullopt;
    return parse_whole<std::uint64_t>(token);
}

std::optional<std::int64_t> parse_i64(std::string_view token) {
    const bool negative = token.starts_with('-');
    const std::string_view digits = negative ? token.substr(1) : token;
    if (digits.starts_with('0') && (negative || digits.size() > 1)) return std::nullopt;
    return parse_whole<std::int64_t>(token);
}

std::optional<double> parse_number(std::string_view token) {
    const auto value = parse_whole<double>(token);
    return value && std::isfinite(*value) ? value : std::nullopt;
}

std::string format_number(double value) {
    char text[32];  // the shortest form of a double has at most 24 characters
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) {
    std::uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? std::nullopt : std::optional(product);
}

}  // namespace lcm
