#include "lib/metrics/trace.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/metrics/meter.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
using namespace std::chrono_literals;

namespace {

constexpr const char* parent_text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const std::string parent_trace = "0af7651916cd43dd8448eb211c80319c", parent_span = "b7ad6b7169203331";

struct Environment {
    explicit Environment(const char* value) { ::setenv("TRACEPARENT", value, 1); }
    ~Environment() { ::unsetenv("TRACEPARENT"); }
};

/// All spans of the file; every line must be a JSON object by itself.
std::vector<Json> spans_in(const std::string& path) {
    std::vector<Json> spans;
    std::istringstream lines(read_file(path));
    for (std::string line; std::getline(lines, line);) {
        const Json object = parse_json(line, "line");
        for (const Json& resource : object.at("resourceSpans").as_array())
            for (const Json& scope : resource.at("scopeSpans").as_array())
                for (const Json& span : scope.at("spans").as_array()) spans.push_back(span);
    }
    return spans;
}

std::string text(const Json& span, std::string_view key) { return span.get(key, ""); }

/// One tool of a pipe: takes a record, works for two stages, signs the record.
void run_tool(const std::string& tool, const std::string& path, Record& record) {
    Meter meter(tool);
    meter.set_trace(std::make_unique<Trace>(tool, path, meter.start()));
    meter.trace()->join(record);
    meter.add(Stage::load, meter.start(), meter.start() + 2ms);
    meter.trace()->sign(record);
    meter.add(Stage::write, meter.start() + 2ms, meter.start() + 3ms);
    meter.trace()->finish(ExitCode::ok);
}

}  // namespace

TEST_CASE("a traceparent is read by the rules of W3C") {
    const auto context = parse_traceparent(parent_text);
    REQUIRE(context);
    CHECK(context->trace_id == parent_trace);
    CHECK(context->span_id == parent_span);
    CHECK(format_traceparent(*context) == parent_text);
    const std::string good = parent_text;
    CHECK(parse_traceparent("cc" + good.substr(2) + "-what-comes-later"));
    CHECK(parse_traceparent("cc" + good.substr(2)));
    for (const std::string& bad :
         {std::string(), good.substr(1), good + "-x", "ff" + good.substr(2), "cc" + good.substr(2) + ".x", "0g" + good.substr(2),
          "00-" + std::string(32, '0') + good.substr(35), good.substr(0, 36) + std::string(16, '0') + "-01", "00-0AF" + good.substr(6),
          good.substr(0, 53) + "x1", good.substr(0, 35) + "_" + good.substr(36), " " + good}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_traceparent(bad));
    }
}

TEST_CASE("three tools that share a file and pass a record on are one trace") {
    const TemporaryFolder folder;
    Record record;
    for (const char* tool : {"lcm-encode", "lcm-denoise", "lcm-render"}) run_tool(tool, folder / "t.jsonl", record);
    const auto spans = spans_in(folder / "t.jsonl");
    REQUIRE(spans.size() == 9);
    std::set<std::string> traces, ids;
    for (const Json& span : spans) {
        traces.insert(text(span, "traceId"));
        ids.insert(text(span, "spanId"));
    }
    CHECK(traces.size() == 1);
    CHECK(traces.begin()->size() == 32);
    CHECK(ids.size() == 9);
    std::string above;  // the run before
    for (std::size_t tool = 0; tool < 3; ++tool) {
        const Json& run = spans[3 * tool + 2];
        CHECK(text(run, "parentSpanId") == above);
        above = text(run, "spanId");
        for (std::size_t stage = 0; stage < 2; ++stage) CHECK(text(spans[3 * tool + stage], "parentSpanId") == above);
    }
    CHECK(text(spans[2], "name") == "lcm-encode");
    CHECK(text(spans[3], "name") == "load");
    CHECK(std::stoll(text(spans[3], "endTimeUnixNano")) - std::stoll(text(spans[3], "startTimeUnixNano")) == 2'000'000);
    CHECK(record.at(key::traceparent) == "00-" + *traces.begin() + "-" + above + "-01");
}

TEST_CASE("the environment comes first, then the first record") {
    set_log({.level = LogLevel::error});  // what is useless would be told
    const TemporaryFolder folder;
    Record record;
    record.set(key::traceparent, "00-" + std::string(32, '1') + "-" + std::string(16, '2') + "-00");
    {
        const Environment environment(parent_text);
        Record other = record;
        run_tool("t", folder / "a", other);
        CHECK(text(spans_in(folder / "a")[2], "traceId") == parent_trace);
        CHECK(text(spans_in(folder / "a")[2], "parentSpanId") == parent_span);
    }
    for (const char* useless : {"", "nonsense\x1b"}) {
        const Environment environment(useless);
        const std::string path = folder / (std::string("b") + useless[0]);
        Record other = record;
        run_tool("t", path, other);
        CHECK(text(spans_in(path)[2], "parentSpanId") == std::string(16, '2'));
    }
    record.set(key::traceparent, "nonsense");
    run_tool("t", folder / "c", record);
    CHECK(text(spans_in(folder / "c")[2], "parentSpanId").empty());
    set_log({});
}

TEST_CASE("a run that fails is marked, with its code") {
    const TemporaryFolder folder;
    Trace trace("t", folder / "t", Meter::Clock::now());
    trace.finish(ExitCode::data);
    const auto spans = spans_in(folder / "t");
    CHECK(to_json(spans[0].at("status")) == R"({"code":2})");
    CHECK(to_json(spans[0].at("attributes")) == R"([{"key":"process.exit.code","value":{"intValue":"65"}}])");
}

TEST_CASE("a long run is written piece by piece, each line whole") {
    const TemporaryFolder folder;
    Trace trace("t", folder / "t", Meter::Clock::now());
    for (int stage = 0; stage < 1000; ++stage) trace.add("step", Meter::Clock::now(), Meter::Clock::now());
    CHECK(spans_in(folder / "t").size() >= 700);
    trace.finish(ExitCode::ok);
    CHECK(spans_in(folder / "t").size() == 1001);
}

TEST_CASE("a trace that cannot be written is told once, at the end") {
    CHECK(caught([] { Trace("t", "/missing/t", Meter::Clock::now()); }).code() == ExitCode::cannot_create);
    Trace trace("t", "/dev/full", Meter::Clock::now());
    for (int stage = 0; stage < 1000; ++stage) trace.add("step", Meter::Clock::now(), Meter::Clock::now());
    const Error error = caught([&] { trace.finish(ExitCode::ok); });
    CHECK(error.code() == ExitCode::io);
    CHECK(error.where() == "/dev/full");
}
