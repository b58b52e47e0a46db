#include "lib/metrics/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <chrono>
#include <iterator>
#include <string_view>
#include <vector>

#include "lib/base/cache_counts.h"
#include "lib/base/engine_facts.h"
#include "lib/base/json.h"
#include "lib/base/version.h"
#include "lib/metrics/counted_bytes.h"
#include "lib/metrics/meter.h"

namespace lcm {

namespace {

using Seconds = std::chrono::duration<double>;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// What the system knows of this process.
struct Usage {
    double cpu_seconds = 0;
    std::uint64_t peak_memory_bytes = 0;
};

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6; }

Usage usage() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return {seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<std::uint64_t>(used.ru_maxrss) * 1024};
}

double wall_seconds(const Meter& meter) { return Seconds(Meter::Clock::now() - meter.start()).count(); }

/// Steps by the time spent in steps, loading and waiting left out.
double steps_per_second(const Meter& meter) {
    const auto taken = Seconds(meter.times(Stage::step).total).count();
    return taken > 0 ? static_cast<double>(meter.counted(Counter::steps)) / taken : 0;
}

std::vector<Stage> stages_run(const Meter& meter) {
    std::vector<Stage> stages;
    for (std::size_t each = 0; each < stage_count; ++each)
        if (meter.times(static_cast<Stage>(each)).count > 0) stages.push_back(static_cast<Stage>(each));
    return stages;
}

std::string milliseconds(StageTimes::Duration time) { return fmt::format("{:.3f}", Milliseconds(time).count()); }

std::string stage_json(const StageTimes& times) {
    std::vector<std::string> recent;
    for (const auto& one : times.recent) recent.push_back(milliseconds(one));
    std::string text = fmt::format("{{\"count\":{},\"total_ms\":{},\"min_ms\":{},\"median_ms\":{},\"max_ms\":{},\"last_ms\":[{}]",
                                   times.count, milliseconds(times.total), milliseconds(times.shortest), milliseconds(times.median()),
                                   milliseconds(times.longest), fmt::join(recent, ","));
    const auto taken = Seconds(times.total).count();
    if (times.operations > 0 && taken > 0)
        text += fmt::format(",\"gflop\":{:.9g},\"gflop_per_s\":{:.9g}", times.operations * 1e-9, times.operations * 1e-9 / taken);
    return text + "}";
}

/// What was computed with, as an object of texts.
std::string compute_json() {
    std::vector<std::string> facts;
    for (const auto& [role, value] : engine_facts()) facts.push_back(fmt::format("{}:{}", json_quote(role), json_quote(value)));
    return fmt::format("{{{}}}", fmt::join(facts, ","));
}

/// A text of samples, metric by metric.
class PrometheusText {
public:
    explicit PrometheusText(std::string_view tool) : tool_label_(fmt::format("tool=\"{}\"", tool)) {}

    void metric(std::string_view metric, std::string_view type, std::string_view help) {
        metric_ = fmt::format("lcm_{}", metric);
        text_ += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", metric_, type, help);
    }
    /// @param more  further labels
    void sample(const std::string& value, std::string_view more = {}) {
        text_ += fmt::format("{}{{{}{}{}}} {}\n", metric_, tool_label_, more.empty() ? "" : ",", more, value);
    }
    const std::string& text() const { return text_; }

private:
    std::string tool_label_, metric_, text_;
};

void write_stages(PrometheusText& out, const Meter& meter) {
    struct Column {
        std::string_view name, type, help;
        double (*value)(const StageTimes&);
    };
    constexpr Column columns[] = {
        {"stage_seconds_total", "counter", "Time in a stage.", [](const StageTimes& times) { return Seconds(times.total).count(); }},
        {"stage_seconds_min", "gauge", "Shortest run of a stage.", [](const StageTimes& times) { return Seconds(times.shortest).count(); }},
        {"stage_seconds_max", "gauge", "Longest run of a stage.", [](const StageTimes& times) { return Seconds(times.longest).count(); }},
        {"stage_runs_total", "counter", "Runs of a stage.", [](const StageTimes& times) { return static_cast<double>(times.count); }},
        {"stage_operations_total", "counter", "Floating-point operations of a stage; 0 where they are not counted.",
         [](const StageTimes& times) { return times.operations; }},
    };
    const auto stages = stages_run(meter);
    if (stages.empty()) return;
    for (const auto& column : columns) {
        out.metric(column.name, column.type, column.help);
        for (const auto stage : stages)
            out.sample(fmt::format("{:.9g}", column.value(meter.times(stage))), fmt::format("stage=\"{}\"", name(stage)));
    }
}

std::string_view help(Counter counter) {
    constexpr std::string_view texts[] = {"Records that are done.", "Pictures written.", "Denoising steps."};
    static_assert(std::size(texts) == counter_count);
    return texts[static_cast<std::size_t>(counter)];
}

}  // namespace

std::string stats_json(const Meter& meter) {
    const auto used = usage();
    std::string text = fmt::format(
        "{{\"stats\":{{\"tool\":{},\"wall_ms\":{:.3f},\"cpu_ms\":{:.3f},\"peak_memory_bytes\":{},\"peak_anonymous_bytes\":{},"
        "\"threads\":{},\"compute\":{}",
        json_quote(meter.tool()), wall_seconds(meter) * 1e3, used.cpu_seconds * 1e3, used.peak_memory_bytes, meter.peak_anonymous_bytes(),
        meter.threads(), compute_json());
    for (std::size_t each = 0; each < counter_count; ++each) {
        const auto counter = static_cast<Counter>(each);
        text += fmt::format(",\"{}\":{}", name(counter), meter.counted(counter));
    }
    const auto bytes = byte_counts();
    const auto caches = cache_counts();
    text += fmt::format(",\"bytes_in\":{},\"bytes_out\":{},\"cache_hits\":{},\"cache_misses\":{}", bytes.in, bytes.out, caches.hits,
                        caches.misses);
    text += fmt::format(",\"steps_per_s\":{:.3f},\"stages\":{{", steps_per_second(meter));
    std::string_view between;
    for (const auto stage : stages_run(meter)) {
        text += fmt::format("{}\"{}\":{}", between, name(stage), stage_json(meter.times(stage)));
        between = ",";
    }
    return text + "}}}";
}

std::string prometheus_text(const Meter& meter, ExitCode code, std::int64_t time) {
    const auto used = usage();
    const auto bytes = byte_counts();
    const auto caches = cache_counts();
    PrometheusText out(meter.tool());
    out.metric("run_info", "gauge", "The version of the tool, as a label.");
    out.sample("1", fmt::format("version=\"{}\"", version()));
    out.metric("exit_code", "gauge", "Exit code of the run.");
    out.sample(fmt::format("{}", static_cast<int>(code)));
    out.metric("end_timestamp_seconds", "gauge", "When the run ended, since 1970.");
    out.sample(fmt::format("{}", time));
    out.metric("wall_seconds", "gauge", "Wall time of the run.");
    out.sample(fmt::format("{:.6f}", wall_seconds(meter)));
    out.metric("cpu_seconds_total", "counter", "Processor time of the run, over all threads.");
    out.sample(fmt::format("{:.6f}", used.cpu_seconds));
    out.metric("peak_memory_bytes", "gauge", "Largest resident memory of the run.");
    out.sample(fmt::format("{}", used.peak_memory_bytes));
    out.metric("peak_anonymous_bytes", "gauge", "Largest anonymous memory of the run: what it has written, without mapped files.");
    out.sample(fmt::format("{}", meter.peak_anonymous_bytes()));
    out.metric("threads", "gauge", "Threads to compute with; 0 where nothing was computed.");
    out.sample(fmt::format("{}", meter.threads()));
    for (std::size_t each = 0; each < counter_count; ++each) {
        const auto counter = static_cast<Counter>(each);
        out.metric(fmt::format("{}_total", name(counter)), "counter", help(counter));
        out.sample(fmt::format("{}", meter.counted(counter)));
    }
    out.metric("bytes_in_total", "counter", "Bytes of records and pictures read.");
    out.sample(fmt::format("{}", bytes.in));
    out.metric("bytes_out_total", "counter", "Bytes of records and pictures written.");
    out.sample(fmt::format("{}", bytes.out));
    out.metric("cache_hits_total", "counter", "Look-ups that a cache answered.");
    out.sample(fmt::format("{}", caches.hits));
    out.metric("cache_misses_total", "counter", "Look-ups that no cache answered.");
    out.sample(fmt::format("{}", caches.misses));
    write_stages(out, meter);
    return out.text();
}

}  // namespace lcm
