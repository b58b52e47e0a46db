#include "lib/metrics/meter.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <chrono>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <cstring>
#include <thread>
#include <vector>

#include "lib/base/cache_counts.h"
#include "lib/base/engine_facts.h"
#include "lib/base/json.h"
#include "lib/metrics/counted_bytes.h"
#include "lib/metrics/memory_watch.h"
#include "lib/metrics/summary.h"

using namespace lcm;
using namespace std::chrono_literals;

namespace {

/// Two steps of 10 and 30 ms, one load, three records.
void fill(Meter& meter) {
    const auto start = meter.start();
    meter.add(Stage::step, start, start + 10ms);
    meter.add(Stage::step, start + 10ms, start + 40ms);
    meter.add(Stage::load, start, start + 5ms);
    meter.count(Counter::steps, 2);
    meter.count(Counter::records, 3);
    meter.set_threads(2);
}

/// Faults of a Prometheus text by the rules of its exposition format: each sample after HELP and TYPE of its metric, each sample once.
std::vector<std::string> prometheus_faults(const std::string& text) {
    const std::regex help("# HELP ([a-z_]+) \\S.*"), type("# TYPE ([a-z_]+) (counter|gauge)");
    const std::regex sample("([a-z_]+)(\\{[a-z_]+=\"[^\"\\\\]*\"(?:,[a-z_]+=\"[^\"\\\\]*\")*\\}) -?[0-9.e+-]+");
    std::vector<std::string> faults;
    std::set<std::string> seen;
    std::string helped, typed, kind;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (std::regex_match(line, match, help)) {
            helped = match[1];
            if (!seen.insert(helped).second) faults.push_back("twice: " + helped);
        } else if (std::regex_match(line, match, type)) {
            typed = match[1];
            kind = match[2];
            if (helped != typed) faults.push_back("no HELP: " + line);
            if ((kind == "counter") != typed.ends_with("_total")) faults.push_back("ending: " + line);
        } else if (std::regex_match(line, match, sample)) {
            if (match[1] != typed) faults.push_back("no TYPE: " + line);
            if (!seen.insert(match[1].str() + match[2].str()).second) faults.push_back("twice: " + line);
        } else {
            faults.push_back("no line of the format: " + line);
        }
    }
    if (!text.ends_with('\n')) faults.push_back("no newline at the end");
    return faults;
}

}  // namespace

TEST_CASE("a stage is counted and timed") {
    Meter meter("t");
    CHECK(meter.times(Stage::step).count == 0);
    fill(meter);
    const auto& steps = meter.times(Stage::step);
    CHECK(steps.count == 2);
    CHECK(steps.total == 40ms);
    CHECK(steps.shortest == 10ms);
    CHECK(steps.longest == 30ms);
    {
        const auto timed = meter.time(Stage::decode);
        std::this_thread::sleep_for(2ms);
    }
    CHECK(meter.times(Stage::decode).count == 1);
    CHECK(meter.times(Stage::decode).total >= 2ms);
    CHECK(meter.counted(Counter::records) == 3);
}

TEST_CASE("stages and counters have different names") {
    std::set<std::string_view> names;
    for (std::size_t each = 0; each < stage_count; ++each) names.insert(name(static_cast<Stage>(each)));
    CHECK(names.size() == stage_count);
    for (std::size_t each = 0; each < counter_count; ++each) names.insert(name(static_cast<Counter>(each)));
    CHECK(names.size() == stage_count + counter_count);
    CHECK_FALSE(names.contains(""));
}

TEST_CASE("statistics are one object with stable keys") {
    Meter meter("lcm-denoise");
    const auto before = cache_counts();
    fill(meter);
    count_cache_hit();
    const std::string text = stats_json(meter);
    CHECK(text.find('\n') == std::string::npos);
    const Json stats = parse_json(text, "stats").at("stats");
    std::string keys;
    for (const auto& [key, value] : stats.as_object()) keys += key + " ";
    CHECK(keys ==
          "bytes_in bytes_out cache_hits cache_misses compute cpu_ms peak_anonymous_bytes peak_memory_bytes pictures records stages steps "
          "steps_per_s threads tool wall_ms ");
    CHECK(stats.at("tool").as_string() == "lcm-denoise");
    CHECK(stats.at("records").as_integer() == 3);
    CHECK(stats.at("threads").as_integer() == 2);
    CHECK(stats.at("steps_per_s").as_number() == doctest::Approx(50));
    CHECK(stats.at("cache_hits").as_integer() == static_cast<std::int64_t>(before.hits) + 1);
    CHECK(stats.at("peak_memory_bytes").as_integer() > 1'000'000);
    CHECK(stats.at("stages").as_object().size() == 2);
    CHECK(to_json(stats.at("stages").at("step")) ==
          R"({"count":2,"last_ms":[10,30],"max_ms":30,"median_ms":20,"min_ms":10,"total_ms":40})");
    CHECK(parse_json(stats_json(Meter("t")), "stats").at("stats").at("stages").as_object().empty());
}

TEST_CASE("operations of a stage are told with their speed") {
    Meter meter("lcm-denoise");
    fill(meter);
    meter.add_operations(Stage::step, 3e9);
    meter.add_operations(Stage::step, 1e9);
    const Json stages = parse_json(stats_json(meter), "stats").at("stats").at("stages");
    CHECK(stages.at("step").at("gflop").as_number() == doctest::Approx(4));
    CHECK(stages.at("step").at("gflop_per_s").as_number() == doctest::Approx(100));
    CHECK(stages.at("load").find("gflop") == nullptr);
}

TEST_CASE("only the last runs of a stage are kept, in their order") {
    Meter meter("t");
    for (std::size_t i = 1; i <= StageTimes::recent_limit + 1; ++i) meter.add(Stage::step, meter.start(), meter.start() + i * 1ms);
    const auto& times = meter.times(Stage::step);
    CHECK(times.count == StageTimes::recent_limit + 1);
    CHECK(times.recent.size() == StageTimes::recent_limit);
    CHECK(times.recent.front() == 2ms);
    CHECK(times.shortest == 1ms);
    CHECK(times.median() == 33ms + 500us);
}

TEST_CASE("what is computed with stands in the statistics") {
    note_engine("precision", "f32");
    note_engine("precision", "bf16");
    note_engine("isa", "amx");
    const Json stats = parse_json(stats_json(Meter("t")), "stats").at("stats");
    CHECK(to_json(stats.at("compute")) == R"({"isa":"amx","precision":"bf16"})");
}

TEST_CASE("the peak of anonymous memory outlives the memory") {
    constexpr std::size_t size = std::size_t{64} << 20;
    Meter meter("t");
    meter.expect_reader();
    const auto before = meter.peak_anonymous_bytes();
    CHECK(before > 100'000);
    {
        // Of the system itself: an allocator may keep what is freed.
        void* const block = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        REQUIRE(block != MAP_FAILED);
        std::memset(block, 1, size);
        std::this_thread::sleep_for(100ms);
        ::munmap(block, size);
    }
    CHECK(anonymous_bytes() < before + size / 2);
    CHECK(meter.peak_anonymous_bytes() >= before + size / 2);
}

TEST_CASE("Prometheus text keeps the rules of its format") {
    Meter meter("lcm-denoise");
    CHECK(prometheus_faults(prometheus_text(meter, ExitCode::ok, 1)) == std::vector<std::string>());
    fill(meter);
    const std::string text = prometheus_text(meter, ExitCode::data, 951827696);
    CHECK(prometheus_faults(text) == std::vector<std::string>());
    for (const char* line :
         {"lcm_exit_code{tool=\"lcm-denoise\"} 65\n", "lcm_end_timestamp_seconds{tool=\"lcm-denoise\"} 951827696\n",
          "lcm_records_total{tool=\"lcm-denoise\"} 3\n", "lcm_stage_seconds_total{tool=\"lcm-denoise\",stage=\"step\"} 0.04\n",
          "lcm_stage_runs_total{tool=\"lcm-denoise\",stage=\"load\"} 1\n"}) {
        CAPTURE(line);
        CHECK(text.find(line) != std::string::npos);
    }
}

TEST_CASE("the checker of the format finds faults") {
    const std::string good = "# HELP a_total Words.\n# TYPE a_total counter\na_total{tool=\"x\"} 1\n";
    CHECK(prometheus_faults(good).empty());
    for (const std::string& bad : {good + good, good.substr(good.find("# TYPE")), good + "b{tool=\"x\"} 1\n", good + "a_total 1 2 3\n",
                                   good + "a_total{tool=\"x\"} 2\n", good.substr(0, good.size() - 1)})
        CHECK(prometheus_faults(bad).size() >= 1);
}

TEST_CASE("bytes are counted on their way") {
    const auto before = byte_counts();
    Bytes out;
    const auto source = counted(source_from_memory(as_bytes("1234567"), "memory"));
    CHECK(source->name() == "memory");
    CHECK(source->skip(2) == 2);
    CHECK(read_all(*source, 100).size() == 5);
    const auto sink = counted(sink_to_memory(out, "sink"));
    const std::span<const std::byte> parts[] = {as_bytes("ab"), as_bytes("c")};
    sink->write(as_bytes("12"));
    sink->write_parts(parts);
    sink->finish();
    CHECK(out.size() == 5);
    CHECK(byte_counts().in == before.in + 7);
    CHECK(byte_counts().out == before.out + 5);
    const Json stats = parse_json(stats_json(Meter("t")), "stats").at("stats");
    CHECK(stats.at("bytes_out").as_integer() == static_cast<std::int64_t>(byte_counts().out));
}
