#include "lib/metrics/meter.h"

#include <algorithm>
#include <vector>

#include "lib/metrics/memory_watch.h"
#include "lib/metrics/trace.h"

namespace lcm {

std::string_view name(Stage stage) {
    constexpr std::array<std::string_view, stage_count> names{"load", "read", "encode", "step", "decode", "convert", "check", "write"};
    return names[static_cast<std::size_t>(stage)];
}

std::string_view name(Counter counter) {
    constexpr std::array<std::string_view, counter_count> names{"records", "pictures", "steps"};
    return names[static_cast<std::size_t>(counter)];
}

StageTimes::Duration StageTimes::median() const {
    std::vector<Duration> sorted(recent.begin(), recent.end());
    std::ranges::sort(sorted);
    const auto middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

Meter::Meter(std::string tool) : tool_(std::move(tool)) {}
Meter::~Meter() = default;

void Meter::add(Stage stage, Clock::time_point start, Clock::time_point end) {
    auto& times = stages_[static_cast<std::size_t>(stage)];
    const auto taken = end - start;
    times.shortest = times.count == 0 ? taken : std::min(times.shortest, taken);
    times.longest = std::max(times.longest, taken);
    times.total += taken;
    ++times.count;
    if (times.recent.size() == StageTimes::recent_limit) times.recent.pop_front();
    times.recent.push_back(taken);
    if (trace_) trace_->add(name(stage), start, end);
}

void Meter::expect_reader() { memory_ = std::make_unique<MemoryWatch>(); }

std::uint64_t Meter::peak_anonymous_bytes() const { return memory_ ? memory_->peak() : anonymous_bytes(); }

void Meter::set_trace(std::unique_ptr<Trace> trace) { trace_ = std::move(trace); }

}  // namespace lcm
