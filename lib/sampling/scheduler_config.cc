#include "lib/sampling/scheduler_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/number.h"

namespace lcm {
namespace {

template <typename T, std::size_t N>
using Names = std::array<std::pair<std::string_view, T>, N>;

constexpr Names<BetaSchedule, 3> beta_schedules{{
    {"linear", BetaSchedule::linear},
    {"scaled_linear", BetaSchedule::scaled_linear},
    {"squaredcos_cap_v2", BetaSchedule::squaredcos_cap_v2},
}};
constexpr Names<PredictionType, 3> prediction_types{{
    {"epsilon", PredictionType::epsilon},
    {"sample", PredictionType::sample},
    {"v_prediction", PredictionType::v_prediction},
}};

// Settings of the reference's LCM scheduler that its own code never lets reach the result.
constexpr std::array<std::string_view, 3> without_effect{"set_alpha_to_one", "steps_offset", "timestep_spacing"};

constexpr int max_train_timesteps = 1'000'000;

[[noreturn]] void refuse(const Json& json, std::string_view key, const std::string& what) {
    throw Error(ExitCode::data, fmt::format("{}: key \"{}\"", json.place(), key), what);
}

template <typename T, std::size_t N>
T by_name(const Json& json, std::string_view key, const Names<T, N>& names, T fallback) {
    const Json* value = json.find(key);
    if (!value) return fallback;
    const auto found = std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == value->as_string(); });
    if (found != names.end()) return found->second;
    std::vector<std::string_view> known;
    for (const auto& [name, unused] : names) known.push_back(name);
    refuse(json, key, fmt::format("\"{}\" is not implemented, only {}", value->as_string(), fmt::join(known, ", ")));
}

template <typename T, std::size_t N>
std::string name_of(T value, const Names<T, N>& names) {
    return std::string(std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.second == value; })->first);
}

int count(const Json& json, std::string_view key, int fallback) {
    const std::int64_t value = json.get(key, static_cast<std::int64_t>(fallback));
    if (value < 1 || value > max_train_timesteps) refuse(json, key, fmt::format("must lie in 1..{}", max_train_timesteps));
    return static_cast<int>(value);
}

/// A number in (low, high].
double number(const Json& json, std::string_view key, double fallback, double low, double high) {
    const double value = json.get(key, fallback);
    if (!(value > low && value <= high)) refuse(json, key, "is out of range");
    return value;
}

std::vector<double> read_betas(const Json& json) {
    std::vector<double> betas;
    const Json* list = json.find("trained_betas");
    if (!list) return betas;
    for (const Json& beta : list->as_array()) betas.push_back(beta.as_number());
    const bool good = std::all_of(betas.begin(), betas.end(), [](double beta) { return beta > 0 && beta <= 1; });
    if (!good) refuse(json, "trained_betas", "must hold numbers above 0 and at most 1");
    return betas;
}

std::vector<std::int64_t> read_timesteps(const Json& json) {
    std::vector<std::int64_t> timesteps;
    const Json* list = json.find("timesteps");
    if (!list) return timesteps;
    for (const Json& timestep : list->as_array()) timesteps.push_back(timestep.as_integer());
    if (timesteps.empty()) refuse(json, "timesteps", "is an empty list");
    return timesteps;
}

void read_noise_schedule(const Json& json, SchedulerConfig& config) {
    config.num_train_timesteps = count(json, "num_train_timesteps", config.num_train_timesteps);
    config.trained_betas = read_betas(json);
    if (!config.trained_betas.empty() && std::cmp_not_equal(config.trained_betas.size(), config.num_train_timesteps)) {
        refuse(json, "trained_betas",
               fmt::format("has {} values for {} training timesteps", config.trained_betas.size(), config.num_train_timesteps));
    }
    config.beta_start = number(json, "beta_start", config.beta_start, 0, 1);
    config.beta_end = number(json, "beta_end", config.beta_end, 0, 1);
    config.beta_schedule = by_name(json, "beta_schedule", beta_schedules, config.beta_schedule);
    config.rescale_betas_zero_snr = json.get("rescale_betas_zero_snr", config.rescale_betas_zero_snr);
}

void read_sampling(const Json& json, SchedulerConfig& config) {
    constexpr double any = 1e30;
    config.prediction_type = by_name(json, "prediction_type", prediction_types, config.prediction_type);
    config.thresholding = json.get("thresholding", config.thresholding);
    config.dynamic_thresholding_ratio = number(json, "dynamic_thresholding_ratio", config.dynamic_thresholding_ratio, 0, 1);
    config.sample_max_value = number(json, "sample_max_value", config.sample_max_value, 0, any);
    config.clip_sample = json.get("clip_sample", config.clip_sample);
    config.clip_sample_range = number(json, "clip_sample_range", config.clip_sample_range, 0, any);
    config.timestep_scaling = number(json, "timestep_scaling", config.timestep_scaling, 0, any);
    config.original_inference_steps = count(json, "original_inference_steps", config.original_inference_steps);
    config.timesteps = read_timesteps(json);
}

template <typename T>
std::string list(const std::vector<T>& values) {
    std::vector<std::string> items;
    for (const T& value : values) items.push_back(format_number(static_cast<double>(value)));
    return fmt::format("[{}]", fmt::join(items, ","));
}

/// Every setting as JSON text by its key.
std::map<std::string, std::string, std::less<>> settings(const SchedulerConfig& config) {
    const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
    return {
        {"num_train_timesteps", std::to_string(config.num_train_timesteps)},
        {"beta_start", format_number(config.beta_start)},
        {"beta_end", format_number(config.beta_end)},
        {"beta_schedule", json_quote(name_of(config.beta_schedule, beta_schedules))},
        {"trained_betas", list(config.trained_betas)},
        {"rescale_betas_zero_snr", flag(config.rescale_betas_zero_snr)},
        {"prediction_type", json_quote(name_of(config.prediction_type, prediction_types))},
        {"thresholding", flag(config.thresholding)},
        {"dynamic_thresholding_ratio", format_number(config.dynamic_thresholding_ratio)},
        {"sample_max_value", format_number(config.sample_max_value)},
        {"clip_sample", flag(config.clip_sample)},
        {"clip_sample_range", format_number(config.clip_sample_range)},
        {"timestep_scaling", format_number(config.timestep_scaling)},
        {"original_inference_steps", std::to_string(config.original_inference_steps)},
        {"timesteps", list(config.timesteps)},
    };
}

void expect_known_keys(const Json& json) {
    const auto known = settings(SchedulerConfig());
    for (const auto& [key, unused] : json.as_object()) {
        const bool inert = key.starts_with('_') || std::find(without_effect.begin(), without_effect.end(), key) != without_effect.end();
        if (!inert && !known.contains(key)) refuse(json, key, "is no setting of the LCM scheduler");
    }
}

}  // namespace

SchedulerConfig SchedulerConfig::from_json(const Json& json) {
    SchedulerConfig config;
    if (json.get("_class_name", "LCMScheduler") == "LCMScheduler")
        expect_known_keys(json);
    else if (!json.find("trained_betas"))
        for (const char* key : {"beta_start", "beta_end", "beta_schedule"}) json.at(key);
    read_noise_schedule(json, config);
    read_sampling(json, config);
    return config;
}

std::string SchedulerConfig::to_json() const {
    auto object = settings(*this);
    if (trained_betas.empty()) object.erase("trained_betas");
    if (timesteps.empty()) object.erase("timesteps");
    std::vector<std::string> members;
    for (const auto& [key, value] : object) members.push_back(json_quote(key) + ":" + value);
    return fmt::format("{{{}}}", fmt::join(members, ","));
}

}  // namespace lcm
