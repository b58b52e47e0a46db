#include "lib/metrics/trace_context.h"

#include <fmt/format.h>
#include <sys/random.h>

#include "lib/base/error.h"

namespace lcm {

namespace {

bool is_hex(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == text.npos; }
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
    constexpr std::size_t length = 55;  // of version 00
    if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
    const auto version = text.substr(0, 2), trace_id = text.substr(3, 32), span_id = text.substr(36, 16), flags = text.substr(53, 2);
    if (!is_hex(version) || !is_hex(trace_id) || !is_hex(span_id) || !is_hex(flags)) return std::nullopt;
    if (version == "ff" || is_zero(trace_id) || is_zero(span_id)) return std::nullopt;
    if (text.size() > length && (version == "00" || text[length] != '-')) return std::nullopt;
    return TraceContext{std::string(trace_id), std::string(span_id)};
}

std::string format_traceparent(const TraceContext& context) { return fmt::format("00-{}-{}-01", context.trace_id, context.span_id); }

std::string new_trace_id() { return fmt::format("{:016x}{:016x}", random_id(), random_id()); }

std::uint64_t random_id() {
    std::uint64_t id = 0;
    while (id == 0)
        if (::getrandom(&id, sizeof id, 0) != sizeof id) throw_errno(ExitCode::system, "getrandom", "cannot draw an identifier");
    return id;
}

}  // namespace lcm
