#include "lib/sampling/sigmas.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/sampling/beta_quantile.h"
#include "lib/sampling/schedule.h"

namespace lcm {
namespace {

double as_float(double value) { return static_cast<double>(static_cast<float>(value)); }

/// Linear interpolation of the training levels at a fractional timestep.
double sigma_at(double timestep, const std::vector<float>& training) {
    const double low = std::floor(timestep);
    const auto index = static_cast<std::size_t>(low);
    const double below = training[index];
    if (index + 1 == training.size()) return below;
    return (static_cast<double>(training[index + 1]) - below) * (timestep - low) + below;
}

/// The fractional timestep of a noise level, linear in its logarithm.
double timestep_of(double sigma, const std::vector<double>& log_training) {
    constexpr double smallest = 1e-10;
    const double level = std::log(std::max(sigma, smallest));
    const auto above = std::upper_bound(log_training.begin(), log_training.end(), level);
    const std::ptrdiff_t last = std::ssize(log_training) - 2;
    const auto low = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(above - log_training.begin() - 1, 0, last));
    const double weight = std::clamp((log_training[low] - level) / (log_training[low] - log_training[low + 1]), 0.0, 1.0);
    return (1 - weight) * static_cast<double>(low) + weight * static_cast<double>(low + 1);
}

/// `steps` levels between the ends of a range by the rule of `spacing`.
std::vector<double> spaced_sigmas(SigmaSpacing spacing, double highest, double lowest, int steps) {
    constexpr double rho = 7, beta_shape = 0.6;
    std::vector<double> sigmas;
    for (int i = 0; i < steps; ++i) {
        const double ramp = steps > 1 ? static_cast<double>(i) / (steps - 1) : 0;
        if (spacing == SigmaSpacing::karras) {
            const double high = std::pow(highest, 1 / rho), low = std::pow(lowest, 1 / rho);
            sigmas.push_back(std::pow(high + ramp * (low - high), rho));
        } else if (spacing == SigmaSpacing::beta) {
            sigmas.push_back(lowest + beta_quantile(1 - ramp, beta_shape) * (highest - lowest));
        } else {
            const double high = std::log(highest), low = std::log(lowest);
            sigmas.push_back(std::exp(high + ramp * (low - high)));
        }
    }
    return sigmas;
}

double rounded(double timestep, const SchedulerConfig& config, TimestepRounding rounding) {
    if (rounding == TimestepRounding::none) return as_float(timestep);
    const bool karras = config.sigma_spacing == SigmaSpacing::karras;
    const bool named = rounding == TimestepRounding::always ? karras
                                                            : (karras || config.sigma_spacing == SigmaSpacing::lu) &&
                                                                  config.beta_schedule != BetaSchedule::squaredcos_cap_v2;
    return std::trunc(named ? std::nearbyint(timestep) : timestep);
}

// float32 logarithms, as in the reference: a level on the training grid then falls on its whole timestep.
std::vector<double> logarithms(const std::vector<float>& sigmas) {
    std::vector<double> values;
    for (const float sigma : sigmas) values.push_back(as_float(std::log(static_cast<double>(sigma))));
    return values;
}

SigmaSchedule custom_sigmas(const SchedulerConfig& config, int steps, const std::vector<float>& training) {
    if (std::ssize(config.sigmas) != steps + 1)
        throw Error(ExitCode::usage, "schedule", "custom sigmas are not one more than the steps", "leave out the steps");
    if (!std::is_sorted(config.sigmas.rbegin(), config.sigmas.rend()) || config.sigmas.front() <= 0)
        throw Error(ExitCode::usage, "schedule", "custom sigmas must descend, from above 0");
    SigmaSchedule schedule;
    const std::vector<double> logs = logarithms(training);
    for (const double sigma : config.sigmas) schedule.sigmas.push_back(as_float(sigma));
    for (int i = 0; i < steps; ++i) schedule.timesteps.push_back(as_float(timestep_of(schedule.sigmas[static_cast<std::size_t>(i)], logs)));
    return schedule;
}

void respace(SigmaSchedule& schedule, const SchedulerConfig& config, const SigmaRules& rules, const std::vector<float>& training) {
    if (!config.timesteps.empty())
        throw Error(ExitCode::usage, "schedule", "custom timesteps and a spacing of sigmas contradict each other", "leave out one of them");
    const double highest = rules.own_range ? schedule.sigmas.front() : training.back();
    const double lowest = rules.own_range ? schedule.sigmas.back() : training.front();
    schedule.sigmas = spaced_sigmas(config.sigma_spacing, highest, lowest, static_cast<int>(schedule.timesteps.size()));
    const std::vector<double> logs = logarithms(training);
    for (std::size_t i = 0; i < schedule.sigmas.size(); ++i)
        schedule.timesteps[i] = rounded(timestep_of(schedule.sigmas[i], logs), config, rules.rounding);
}

}  // namespace

std::vector<float> training_sigmas(const SchedulerConfig& config) {
    std::vector<float> alphas = alphas_cumprod(config);
    if (config.rescale_betas_zero_snr) alphas.back() = 0x1p-24F;
    std::vector<float> sigmas;
    for (const float alpha : alphas) sigmas.push_back(std::sqrt((1.0F - alpha) / alpha));
    return sigmas;
}

SigmaSchedule sigma_schedule(const SchedulerConfig& config, int steps, const SigmaRules& rules) {
    const std::vector<float> training = training_sigmas(config);
    if (!config.sigmas.empty()) return custom_sigmas(config, steps, training);
    SigmaSchedule schedule{spaced_timesteps(config, steps, rules.spacing), {}};
    for (const double timestep : schedule.timesteps) schedule.sigmas.push_back(sigma_at(timestep, training));
    if (config.sigma_spacing != SigmaSpacing::plain) respace(schedule, config, rules, training);
    schedule.sigmas.push_back(config.final_sigma == FinalSigma::sigma_min ? training.front() : 0);
    for (double& sigma : schedule.sigmas) sigma = as_float(sigma);
    return schedule;
}

}  // namespace lcm
