#include "lib/metrics/meter.h"

#include <algorithm>

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

Meter::Meter(std::string tool) : tool_(std::move(tool)) {}
Meter::~Meter() = default;

void Meter::add(Stage stage, Clock::time_point start, Clock::time_point end) {
    auto& times = stages_[static_cast<std::size_t>(stage)];
    const auto taken = end - start;
    times.shortest = times.count == 0 ? taken : std::min(times.shortest, taken);
    times.longest = std::max(times.longest, taken);
    times.total += taken;
    ++times.count;
    if (trace_) trace_->add(name(stage), start, end);
}

void Meter::set_trace(std::unique_ptr<Trace> trace) { trace_ = std::move(trace); }

}  // namespace lcm
