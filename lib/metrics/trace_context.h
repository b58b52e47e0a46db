#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lcm {

/// Where a span belongs: the trace that joins all tools of a pipe, and the span it came from (W3C Trace Context).
struct TraceContext {
    std::string trace_id;  ///< 32 lower-case hex digits, not all zero
    std::string span_id;   ///< 16 lower-case hex digits, not all zero
};

/// Reads a `traceparent`: "00-<trace id>-<span id>-<flags>", or a later version that begins so. Nothing when it breaks the rules.
std::optional<TraceContext> parse_traceparent(std::string_view text);

/// `context` as a `traceparent` of version 00, sampled.
std::string format_traceparent(const TraceContext& context);

/// A random identifier of a new trace: 32 hex digits. @throws Error(system)
std::string new_trace_id();
/// A random number other than 0, for identifiers of spans. @throws Error(system)
std::uint64_t random_id();

}  // namespace lcm
