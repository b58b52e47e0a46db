#include "lib/cli/plan.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm::cli {
namespace {

/// Networks of convolutions reach about this part of what a large matrix product does.
constexpr double part_of_peak = 0.5;

std::string rounded(double value) { return fmt::format("{:.2g}", value); }

std::string json_list(const std::vector<std::string>& lines) {
    std::string list;
    for (const auto& line : lines) list += (list.empty() ? "" : ",") + json_quote(line);
    return list;
}

}  // namespace

double measured_speed() {
    const c10::InferenceMode no_gradients;
    constexpr std::int64_t side = 512;
    constexpr double operations = 2.0 * side * side * side, enough_seconds = 0.05;
    const auto a = at::ones({side, side}), b = at::ones({side, side});
    at::mm(a, b);  // starts the threads
    const auto start = std::chrono::steady_clock::now();
    double seconds = 0;
    int runs = 0;
    while (seconds < enough_seconds) {
        at::mm(a, b);
        ++runs;
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return operations * runs / seconds;
}

void print_plan(const Plan& plan, bool json) {
    const double seconds = plan.operations / (measured_speed() * part_of_peak);
    std::string text;
    if (json) {
        text =
            fmt::format("{{\"details\":[{}],\"memory_bytes\":{},\"model\":{},\"output\":{},\"records\":{},\"seconds\":{},\"tool\":{}}}\n",
                        json_list(plan.details), plan.memory, json_quote(plan.model), json_quote(plan.output), plan.records,
                        rounded(seconds), json_quote(plan.tool));
    } else {
        text = fmt::format("{} would write {} record{} to {}\n", plan.tool, plan.records, plan.records == 1 ? "" : "s",
                           escape_control(plan.output));
        for (const auto& line : plan.details) text += "  " + escape_control(line) + "\n";
        text += fmt::format("  model {}; about {} MiB of memory, {} s\n", escape_control(plan.model), plan.memory >> 20, rounded(seconds));
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace lcm::cli
