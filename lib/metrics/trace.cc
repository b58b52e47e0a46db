#include "lib/metrics/trace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/version.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

constexpr std::size_t most_spans_kept = 256;

std::int64_t nanoseconds(auto duration) { return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count(); }

std::string text_attribute(std::string_view key, std::string_view value) {
    return fmt::format("{{\"key\":\"{}\",\"value\":{{\"stringValue\":{}}}}}", key, json_quote(value));
}

std::string integer_attribute(std::string_view key, std::int64_t value) {
    return fmt::format("{{\"key\":\"{}\",\"value\":{{\"intValue\":\"{}\"}}}}", key, value);  // OTLP-JSON: 64-bit numbers are strings
}

/// The context that `text` tells. One that breaks the rules is left out: a trace is no reason for a run to fail.
std::optional<TraceContext> context_of(std::string_view place, std::string_view text) {
    auto context = parse_traceparent(text);
    if (!context) warn(fmt::format("{} is no trace context and is not used: \"{}\"", place, text));
    return context;
}

}  // namespace

Trace::Trace(std::string tool, const std::string& path, Clock::time_point start)
    : tool_(std::move(tool)),
      path_(path),
      file_(open_descriptor(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0666)),
      start_(start),
      unix_start_(nanoseconds(std::chrono::system_clock::now().time_since_epoch()) - nanoseconds(Clock::now() - start)),
      last_id_(random_id()) {
    if (file_.get() < 0) throw_errno(ExitCode::cannot_create, path, "cannot open the trace");
    own_.span_id = next_span_id();
    const char* environment = std::getenv("TRACEPARENT");
    if (environment != nullptr && *environment != '\0') parent_ = context_of("TRACEPARENT", environment);
}

// Random once, then counted: unique in the trace, and a stage costs no system call.
std::string Trace::next_span_id() {
    if (++last_id_ == 0) ++last_id_;
    return fmt::format("{:016x}", last_id_);
}

void Trace::add(std::string_view name, Clock::time_point start, Clock::time_point end) {
    spans_.push_back({std::string(name), next_span_id(), own_.span_id, start, end, {}});
    if (spans_.size() >= most_spans_kept) flush();
}

void Trace::join(const Record& record) {
    if (parent_ || !own_.trace_id.empty()) return;
    if (const auto* value = record.find(key::traceparent))
        parent_ = context_of(fmt::format("{}: {}", record.place, key::traceparent), *value);
}

void Trace::sign(Record& record) {
    settle();
    record.set(key::traceparent, format_traceparent(own_));
}

void Trace::settle() {
    if (own_.trace_id.empty()) own_.trace_id = parent_ ? parent_->trace_id : new_trace_id();
}

void Trace::finish(ExitCode code) {
    spans_.push_back({tool_, own_.span_id, parent_ ? parent_->span_id : "", start_, Clock::now(), code});
    flush();
    errno = write_error_;
    if (write_error_ != 0) throw_errno(ExitCode::io, path_, "cannot write the trace");
    close_checked(std::move(file_), path_);
}

// One write a line: lines of several tools do not mix. Called where nothing may be thrown, so that an error waits for `finish`.
void Trace::flush() noexcept {
    settle();
    const auto text = line();
    ssize_t written = 0;
    do written = ::write(file_.get(), text.data(), text.size());
    while (written < 0 && errno == EINTR);
    if (written != static_cast<ssize_t>(text.size())) write_error_ = written < 0 ? errno : ENOSPC;
    spans_.clear();
}

std::string Trace::line() const {
    std::string text = fmt::format(
        "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{},{},{}]}},\"scopeSpans\":[{{\"scope\":{{\"name\":\"lcm\"}},\"spans\":[",
        text_attribute("service.name", tool_), text_attribute("service.version", version()), integer_attribute("process.pid", ::getpid()));
    std::string_view between;
    for (const Span& span : spans_) {
        text.append(between).append(span_json(span));
        between = ",";
    }
    return text + "]}]}]}\n";
}

std::string Trace::span_json(const Span& span) const {
    std::string text = fmt::format("{{\"traceId\":\"{}\",\"spanId\":\"{}\"", own_.trace_id, span.id);
    if (!span.parent_id.empty()) text += fmt::format(",\"parentSpanId\":\"{}\"", span.parent_id);
    constexpr int internal = 1;  // SpanKind
    text += fmt::format(",\"name\":{},\"kind\":{},\"startTimeUnixNano\":{},\"endTimeUnixNano\":{}", json_quote(span.name), internal,
                        time_json(span.start), time_json(span.end));
    if (span.code) {
        constexpr int unset = 0, error = 2;  // StatusCode
        const bool failed = *span.code != ExitCode::ok && *span.code != ExitCode::no;
        text += fmt::format(",\"attributes\":[{}],\"status\":{{\"code\":{}}}",
                            integer_attribute("process.exit.code", static_cast<int>(*span.code)), failed ? error : unset);
    }
    return text + "}";
}

std::string Trace::time_json(Clock::time_point time) const { return fmt::format("\"{}\"", unix_start_ + nanoseconds(time - start_)); }

}  // namespace lcm
