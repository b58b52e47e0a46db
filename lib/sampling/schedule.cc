#include "lib/sampling/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

#include "lib/base/error.h"

namespace lcm {
namespace {

constexpr double max_beta = 0.999;

[[noreturn]] void refuse(const std::string& what, const std::string& fix = {}) { throw Error(ExitCode::usage, "schedule", what, fix); }

// The reference's linspace runs from both ends to the middle, with one rounding a value: hence fma.
std::vector<float> linspace(double first, double last, int count) {
    const auto start = static_cast<float>(first), end = static_cast<float>(last);
    const float step = count > 1 ? (end - start) / static_cast<float>(count - 1) : 0.0F;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        const bool lower = i < count / 2 || count == 1;
        values[static_cast<std::size_t>(i)] =
            lower ? std::fma(step, static_cast<float>(i), start) : std::fma(-step, static_cast<float>(count - i - 1), end);
    }
    return values;
}

std::vector<float> scaled_linear(double first, double last, int count) {
    std::vector<float> values = linspace(std::sqrt(first), std::sqrt(last), count);
    for (float& value : values) value *= value;
    return values;
}

std::vector<float> squared_cosine(int count) {
    const auto alpha_bar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2), 2); };
    std::vector<float> values;
    for (int i = 0; i < count; ++i) {
        const double ratio = alpha_bar(static_cast<double>(i + 1) / count) / alpha_bar(static_cast<double>(i) / count);
        values.push_back(static_cast<float>(std::min(1 - ratio, max_beta)));
    }
    return values;
}

std::vector<float> cumulative_product(const std::vector<float>& betas) {
    std::vector<float> products;
    double product = 1;
    for (const float beta : betas) {
        product *= 1.0F - beta;
        products.push_back(static_cast<float>(product));
    }
    return products;
}

/// Betas shifted and scaled so that the last alpha-bar is zero and the first stays (lcm-facts, section 1).
std::vector<float> rescale_zero_terminal_snr(const std::vector<float>& betas) {
    std::vector<float> alphas = cumulative_product(betas);
    const float first = std::sqrt(alphas.front()), last = std::sqrt(alphas.back());
    const float scale = first / (first - last);
    for (float& alpha : alphas) {
        const float root = (std::sqrt(alpha) - last) * scale;
        alpha = root * root;
    }
    std::vector<float> rescaled{1.0F - alphas.front()};
    for (std::size_t i = 1; i < alphas.size(); ++i) rescaled.push_back(1.0F - alphas[i] / alphas[i - 1]);
    return rescaled;
}

std::vector<float> plain_betas(const SchedulerConfig& config) {
    if (!config.trained_betas.empty()) return {config.trained_betas.begin(), config.trained_betas.end()};
    switch (config.beta_schedule) {
        case BetaSchedule::linear:
            return linspace(config.beta_start, config.beta_end, config.num_train_timesteps);
        case BetaSchedule::scaled_linear:
            return scaled_linear(config.beta_start, config.beta_end, config.num_train_timesteps);
        case BetaSchedule::squaredcos_cap_v2:
            return squared_cosine(config.num_train_timesteps);
    }
    throw Error(ExitCode::software, "schedule", "unknown beta schedule");
}

/// The distillation schedule, ascending: `k * i - 1` for i = 1..int(original steps * strength), or every training timestep (lcm-facts,
/// section 4).
std::vector<std::int64_t> origin_timesteps(const SchedulerConfig& config, double strength) {
    const int original = config.original_inference_steps;
    if (original > config.num_train_timesteps)
        refuse(fmt::format("original steps {} are more than the model's {} training timesteps", original, config.num_train_timesteps));
    const bool every = config.every_timestep;
    const std::int64_t skip = every ? 1 : config.num_train_timesteps / original;
    const int whole = every ? config.num_train_timesteps : original;
    std::vector<std::int64_t> origin;
    const auto length = static_cast<std::int64_t>(whole * strength);  // float64 and truncated as in the reference: int(50 * .58) is 28
    for (std::int64_t i = 1; i <= length; ++i) origin.push_back(i * skip - 1);
    return origin;
}

/// Evenly spaced values of `origin`, from its end.
std::vector<std::int64_t> select_evenly(const std::vector<std::int64_t>& origin, int steps) {
    // The division comes first, in float64: integer arithmetic gives other indices.
    const double stride = static_cast<double>(origin.size()) / steps;
    std::vector<std::int64_t> timesteps;
    for (int j = 0; j < steps; ++j) {
        const auto index = static_cast<std::size_t>(std::floor(j * stride));
        timesteps.push_back(origin[origin.size() - 1 - index]);
    }
    return timesteps;
}

std::vector<std::int64_t> keep_last(const std::vector<std::int64_t>& timesteps, const Strength& strength) {
    return {timesteps.end() - kept_steps(static_cast<int>(timesteps.size()), strength), timesteps.end()};
}

std::vector<std::int64_t> rule_timesteps(const SchedulerConfig& config, int steps, double strength) {
    const std::vector<std::int64_t> origin = origin_timesteps(config, strength);
    const auto most = std::min<std::size_t>(origin.size(), static_cast<std::size_t>(config.original_inference_steps));
    if (std::cmp_greater(steps, most))
        refuse(fmt::format("{} steps are more than the {} of the distillation schedule", steps, most), "use fewer steps");
    return select_evenly(origin, steps);
}

}  // namespace

std::vector<float> betas(const SchedulerConfig& config) {
    const std::vector<float> values = plain_betas(config);
    return config.rescale_betas_zero_snr ? rescale_zero_terminal_snr(values) : values;
}

std::vector<float> alphas_cumprod(const SchedulerConfig& config) {
    std::vector<float> alphas = cumulative_product(betas(config));
    const bool good = std::all_of(alphas.begin(), alphas.end(), [](float alpha) { return alpha >= 0 && alpha <= 1; });
    if (good) return alphas;
    throw Error(ExitCode::data, "schedule", "the betas give a cumulative product outside [0,1]", "check the scheduler's settings");
}

void check_steps(int steps, const Strength& strength) {
    if (steps < 1) refuse("steps must be at least 1");
    if (!(strength.value > 0 && strength.value <= 1)) refuse("strength must be above 0 and at most 1");
}

int whole_steps(int steps, const Strength& strength) {
    constexpr double full = 0.9999;  // from there on ComfyUI takes the denoise for whole
    constexpr double most = 1e6;     // far above any schedule, so that the sampler refuses it
    const bool longer = strength.rule == Strength::Rule::stretch && strength.value <= full;
    return longer ? static_cast<int>(std::min(steps / strength.value, most)) : steps;
}

int kept_steps(int steps, const Strength& strength) {
    if (strength.rule == Strength::Rule::stretch) {
        for (int kept = std::max(static_cast<int>(steps * strength.value), 1); kept <= steps; ++kept)
            if (whole_steps(kept, strength) == steps) return kept;
        refuse(fmt::format("no number of steps stretches to {} by strength {}", steps, strength.value), "use the rule cut");
    }
    const int kept = std::min(static_cast<int>(steps * strength.value), steps);
    if (kept == 0) refuse(fmt::format("strength leaves none of the {} steps", steps), "raise strength or steps");
    return kept;
}

std::vector<std::int64_t> custom_timesteps(const SchedulerConfig& config, int steps) {
    const std::vector<std::int64_t>& timesteps = config.timesteps;
    if (std::cmp_not_equal(steps, timesteps.size()))
        refuse(fmt::format("{} steps and a list of {} timesteps contradict each other", steps, timesteps.size()), "give one of the two");
    for (std::size_t i = 1; i < timesteps.size(); ++i)
        if (timesteps[i] >= timesteps[i - 1]) refuse(fmt::format("custom timesteps must descend, and {} does not", timesteps[i]));
    if (timesteps.front() >= config.num_train_timesteps || timesteps.back() < 0)
        refuse(fmt::format("custom timesteps must lie in 0..{}", config.num_train_timesteps - 1));
    return timesteps;
}

std::vector<std::int64_t> lcm_timesteps(const SchedulerConfig& config, int steps, const Strength& strength) {
    check_steps(steps, strength);
    if (!config.timesteps.empty()) return keep_last(custom_timesteps(config, steps), strength);
    if (strength.rule == Strength::Rule::lcm) return rule_timesteps(config, steps, strength.value);
    return keep_last(rule_timesteps(config, steps, 1.0), strength);
}

std::vector<std::string> timestep_warnings(const SchedulerConfig& config, const Strength& strength) {
    std::vector<std::string> warnings;
    const std::vector<std::int64_t>& timesteps = config.timesteps;
    if (timesteps.empty()) return warnings;
    const std::int64_t last = config.num_train_timesteps - 1;
    if (strength.value == 1 && timesteps.front() != last) {
        warnings.push_back(
            fmt::format("the first timestep is {}, not {}: the start is noisier than the network is told", timesteps.front(), last));
    }
    const std::vector<std::int64_t> origin = origin_timesteps(config, strength.value);
    std::string strangers;
    for (std::size_t i = 1; i < timesteps.size(); ++i)  // the reference does not hold the first value against the grid
        if (!std::binary_search(origin.begin(), origin.end(), timesteps[i])) strangers += fmt::format(" {}", timesteps[i]);
    if (!strangers.empty()) warnings.push_back("timesteps that are not on the model's distillation schedule:" + strangers);
    if (std::cmp_greater(timesteps.size(), config.original_inference_steps)) {
        warnings.push_back(fmt::format("{} timesteps are more than the {} of the distillation schedule", timesteps.size(),
                                       config.original_inference_steps));
    }
    return warnings;
}

}  // namespace lcm
