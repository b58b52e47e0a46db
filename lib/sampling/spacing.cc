#include "lib/sampling/spacing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/sampling/schedule.h"

namespace lcm {
namespace {

/// `count` numbers from `ratio` apart, descending to `offset`.
std::vector<double> leading(int count, double ratio, double offset) {
    std::vector<double> timesteps;
    for (int i = count - 1; i >= 0; --i) timesteps.push_back(i * ratio + offset);
    return timesteps;
}

std::vector<double> trailing(int count, double training) {
    const double ratio = training / count;
    std::vector<double> timesteps;
    for (int i = 0; i < count; ++i) timesteps.push_back(std::nearbyint(training - i * ratio) - 1);
    return timesteps;
}

/// `count` numbers from `last` down to 0.
std::vector<double> linspace(int count, double last) {
    const double step = count > 1 ? last / (count - 1) : 0;
    std::vector<double> timesteps;
    for (int i = count - 1; i >= 0; --i) timesteps.push_back(i > 0 && i == count - 1 ? last : i * step);
    return timesteps;
}

std::vector<double> by_rule(const SchedulerConfig& config, int steps, SpacingRule rule) {
    const int training = config.num_train_timesteps;
    if (config.timestep_spacing == TimestepSpacing::trailing) return trailing(steps, training);
    const int count = rule == SpacingRule::inner ? steps + 1 : steps;
    const bool even = config.timestep_spacing == TimestepSpacing::leading;
    const int ratio = training / count;  // whole, as in the reference
    std::vector<double> timesteps = even ? leading(count, ratio, config.steps_offset) : linspace(count, training - 1);
    if (rule == SpacingRule::inner) timesteps.pop_back();
    for (double& timestep : timesteps)
        timestep = rule == SpacingRule::fractional ? static_cast<double>(static_cast<float>(timestep)) : std::nearbyint(timestep);
    return timesteps;
}

}  // namespace

std::vector<double> spaced_timesteps(const SchedulerConfig& config, int steps, SpacingRule rule) {
    const int training = config.num_train_timesteps;
    if (!config.timesteps.empty()) {
        const std::vector<std::int64_t> custom = custom_timesteps(config, steps);
        return {custom.begin(), custom.end()};
    }
    const int most = rule == SpacingRule::inner ? training - 1 : training;
    if (steps > most) throw Error(ExitCode::usage, "schedule", fmt::format("{} steps are more than the {} timesteps", steps, most));
    std::vector<double> timesteps = by_rule(config, steps, rule);
    if (timesteps.front() < training) return timesteps;
    throw Error(ExitCode::usage, "schedule",
                fmt::format("{} steps with an offset of {} reach timestep {}, beyond {}", steps, config.steps_offset, timesteps.front(),
                            training - 1),
                "use fewer steps");
}

}  // namespace lcm
