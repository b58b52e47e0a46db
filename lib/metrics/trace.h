#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/descriptor.h"
#include "lib/base/error.h"
#include "lib/metrics/trace_context.h"
#include "lib/stream/record.h"

namespace lcm {

/// Writes the spans of one run as OTLP-JSON lines: one for the run, and below it one a stage.
///
/// The file is appended to, each line by one write, so that the tools of a pipe can share it. The trace is that of TRACEPARENT, else
/// of the first record that names one, else a new one.
class Trace {
public:
    using Clock = std::chrono::steady_clock;

    /// @param start  when the run began
    /// @throws Error(cannot_create) when the file cannot be opened
    Trace(std::string tool, const std::string& path, Clock::time_point start);

    /// One stage of the run.
    void add(std::string_view name, Clock::time_point start, Clock::time_point end);

    /// Joins the trace that `record` names (`lcm.traceparent`), when nothing else has settled it yet.
    void join(const Record& record);
    /// Writes this run's context into an output record (`lcm.traceparent`), so that the next tool joins.
    void sign(Record& record);

    /// Ends the run's span and writes what is left. @throws Error(io)
    void finish(ExitCode code);

private:
    struct Span {
        std::string name, id, parent_id;  // the run's own span may have no parent
        Clock::time_point start, end;
        std::optional<ExitCode> code;  // of the run
    };

    std::string next_span_id();
    void settle();
    void flush() noexcept;
    std::string line() const;
    std::string span_json(const Span& span) const;
    std::string time_json(Clock::time_point time) const;

    std::string tool_, path_;
    Descriptor file_;
    Clock::time_point start_;
    std::int64_t unix_start_;  // nanoseconds since 1970 at `start_`
    std::uint64_t last_id_;
    std::optional<TraceContext> parent_;
    TraceContext own_;  // without a trace id until it is settled
    std::vector<Span> spans_;
    int write_error_ = 0;  // errno
};

}  // namespace lcm
