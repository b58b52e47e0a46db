#include "lib/sampling/scheduler_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/number.h"

namespace lcm {
namespace {

template <typename T, std::size_t N>
using Names = std::array<std::pair<std::string_view, T>, N>;

// The first name of a value is the one that is written.
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
constexpr Names<TimestepSpacing, 3> timestep_spacings{{
    {"leading", TimestepSpacing::leading},
    {"trailing", TimestepSpacing::trailing},
    {"linspace", TimestepSpacing::linspace},
}};
constexpr Names<FinalSigma, 2> final_sigmas{{{"zero", FinalSigma::zero}, {"sigma_min", FinalSigma::sigma_min}}};
constexpr Names<SolverType, 5> solver_types{{
    {"midpoint", SolverType::midpoint},
    {"heun", SolverType::heun},
    {"bh1", SolverType::bh1},
    {"bh2", SolverType::bh2},
    {"logrho", SolverType::midpoint},
}};
constexpr Names<bool, 3> algorithms{{{"dpmsolver++", false}, {"sde-dpmsolver++", true}, {"deis", false}}};
constexpr Names<VarianceType, 3> variance_types{{
    {"fixed_small", VarianceType::fixed_small},
    {"fixed_large", VarianceType::fixed_large},
    {"fixed_small_log", VarianceType::fixed_small},
}};
constexpr Names<StartNoise, 3> start_noises{{
    {"own", StartNoise::own},
    {"sigma_max", StartNoise::sigma_max},
    {"unit_variance", StartNoise::unit_variance},
}};
constexpr Names<SigmaSpacing, 4> sigma_flags{{
    {"use_karras_sigmas", SigmaSpacing::karras},
    {"use_exponential_sigmas", SigmaSpacing::exponential},
    {"use_beta_sigmas", SigmaSpacing::beta},
    {"use_lu_lambdas", SigmaSpacing::lu},
}};

// Written always: what the noise schedule follows from.
constexpr std::array<std::string_view, 6> noise_schedule{"beta_end",        "beta_schedule",         "beta_start", "num_train_timesteps",
                                                         "prediction_type", "rescale_betas_zero_snr"};

// Written where they are not the default.
constexpr std::array<std::string_view, 8> of_a_run{"trained_betas",    "timesteps",   "sigmas",   "num_inference_steps",
                                                   "guidance_rescale", "start_noise", "rng_rows", "rng_row"};

// Values of settings that would make another sampler of it.
constexpr std::array<std::pair<std::string_view, bool>, 3> fixed_flags{
    {{"use_flow_sigmas", false}, {"use_dynamic_shifting", false}, {"predict_x0", true}}};

constexpr int max_train_timesteps = 1'000'000, max_rows = 1'000'000;

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

int count(const Json& json, std::string_view key, int fallback, int low = 1, int high = max_train_timesteps) {
    const std::int64_t value = json.get(key, static_cast<std::int64_t>(fallback));
    if (value < low || value > high) refuse(json, key, fmt::format("must lie in {}..{}", low, high));
    return static_cast<int>(value);
}

/// A number in (low, high].
double number(const Json& json, std::string_view key, double fallback, double low, double high) {
    const double value = json.get(key, fallback);
    if (!(value > low && value <= high)) refuse(json, key, "is out of range");
    return value;
}

std::vector<double> read_numbers(const Json& json, std::string_view key, double low, double high) {
    std::vector<double> values;
    const Json* list = json.find(key);
    if (!list) return values;
    for (const Json& value : list->as_array()) values.push_back(value.as_number());
    const bool good = std::all_of(values.begin(), values.end(), [&](double value) { return value >= low && value <= high; });
    if (!good) refuse(json, key, fmt::format("must hold numbers in {}..{}", format_number(low), format_number(high)));
    return values;
}

std::vector<std::int64_t> read_integers(const Json& json, std::string_view key) {
    std::vector<std::int64_t> values;
    if (const Json* list = json.find(key))
        for (const Json& value : list->as_array()) values.push_back(value.as_integer());
    return values;
}

void read_noise_schedule(const Json& json, SchedulerConfig& config) {
    config.num_train_timesteps = count(json, "num_train_timesteps", config.num_train_timesteps);
    constexpr double smallest_beta = 1e-12;
    config.trained_betas = read_numbers(json, "trained_betas", smallest_beta, 1);
    if (!config.trained_betas.empty() && std::cmp_not_equal(config.trained_betas.size(), config.num_train_timesteps)) {
        refuse(json, "trained_betas",
               fmt::format("has {} values for {} training timesteps", config.trained_betas.size(), config.num_train_timesteps));
    }
    config.beta_start = number(json, "beta_start", config.beta_start, 0, 1);
    config.beta_end = number(json, "beta_end", config.beta_end, 0, 1);
    config.beta_schedule = by_name(json, "beta_schedule", beta_schedules, config.beta_schedule);
    config.rescale_betas_zero_snr = json.get("rescale_betas_zero_snr", config.rescale_betas_zero_snr);
    config.prediction_type = by_name(json, "prediction_type", prediction_types, config.prediction_type);
}

constexpr double any = 1e30;

void read_limits(const Json& json, SchedulerConfig& config) {
    config.thresholding = json.get("thresholding", config.thresholding);
    config.dynamic_thresholding_ratio = number(json, "dynamic_thresholding_ratio", config.dynamic_thresholding_ratio, 0, 1);
    config.sample_max_value = number(json, "sample_max_value", config.sample_max_value, 0, any);
    config.clip_sample = json.get("clip_sample", config.clip_sample);
    config.clip_sample_range = number(json, "clip_sample_range", config.clip_sample_range, 0, any);
}

void read_timesteps(const Json& json, SchedulerConfig& config) {
    config.timestep_scaling = number(json, "timestep_scaling", config.timestep_scaling, 0, any);
    config.original_inference_steps = count(json, "original_inference_steps", config.original_inference_steps);
    config.every_timestep = json.get("every_timestep", config.every_timestep);
    config.timestep_spacing = by_name(json, "timestep_spacing", timestep_spacings, config.timestep_spacing);
    config.steps_offset = count(json, "steps_offset", config.steps_offset, 0);
    config.set_alpha_to_one = json.get("set_alpha_to_one", config.set_alpha_to_one);
    config.skip_prk_steps = json.get("skip_prk_steps", config.skip_prk_steps);
    config.variance_type = by_name(json, "variance_type", variance_types, config.variance_type);
    config.timesteps = read_integers(json, "timesteps");
    if (json.find("timesteps") && config.timesteps.empty()) refuse(json, "timesteps", "is an empty list");
    config.num_inference_steps = count(json, "num_inference_steps", config.num_inference_steps, 0);
}

void read_sigmas(const Json& json, SchedulerConfig& config) {
    config.sigmas = read_numbers(json, "sigmas", 0, any);
    if (config.sigmas.size() == 1) refuse(json, "sigmas", "needs a noise level before and after a step");
    for (const auto& [key, spacing] : sigma_flags) {
        if (!json.get(key, config.sigma_spacing == spacing)) continue;
        if (config.sigma_spacing != SigmaSpacing::plain && config.sigma_spacing != spacing)
            refuse(json, key, fmt::format("contradicts \"{}\"", name_of(config.sigma_spacing, sigma_flags)));
        config.sigma_spacing = spacing;
    }
    config.final_sigma = by_name(json, "final_sigmas_type", final_sigmas, config.final_sigma);
    config.start_noise = by_name(json, "start_noise", start_noises, config.start_noise);
}

void read_solver(const Json& json, SchedulerConfig& config) {
    constexpr int highest_order = 3;
    config.solver_order = count(json, "solver_order", config.solver_order, 1, highest_order);
    config.solver_type = by_name(json, "solver_type", solver_types, config.solver_type);
    config.stochastic = by_name(json, "algorithm_type", algorithms, config.stochastic);
    config.lower_order_final = json.get("lower_order_final", config.lower_order_final);
    config.euler_at_final = json.get("euler_at_final", config.euler_at_final);
    config.disable_corrector = read_integers(json, "disable_corrector");
    for (const auto& [key, value] : fixed_flags)
        if (json.get(key, value) != value) refuse(json, key, fmt::format("{} is not implemented", !value));
    if (json.get("interpolation_type", "linear") != "linear") refuse(json, "interpolation_type", "only \"linear\" is implemented");
    if (json.get("timestep_type", "discrete") != "discrete") refuse(json, "timestep_type", "only \"discrete\" is implemented");
    for (const char* key : {"sigma_min", "sigma_max"})
        if (json.find(key)) refuse(json, key, "is not implemented");
}

void read_run(const Json& json, SchedulerConfig& config) {
    config.guidance_rescale = json.get("guidance_rescale", config.guidance_rescale);
    if (!(config.guidance_rescale >= 0 && config.guidance_rescale <= 1)) refuse(json, "guidance_rescale", "must lie in 0..1");
    config.rng_rows = count(json, "rng_rows", static_cast<int>(config.rng_rows), 1, max_rows);
    config.rng_row = count(json, "rng_row", static_cast<int>(config.rng_row), 0, static_cast<int>(config.rng_rows) - 1);
}

template <typename T>
std::string list(const std::vector<T>& values) {
    std::vector<std::string> items;
    for (const T& value : values) items.push_back(format_number(static_cast<double>(value)));
    return fmt::format("[{}]", fmt::join(items, ","));
}

using Settings = std::map<std::string, std::string, std::less<>>;

/// Every setting as JSON text by its key.
Settings settings(const SchedulerConfig& config) {
    const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
    const auto name = [](auto value, const auto& names) { return json_quote(name_of(value, names)); };
    Settings all{
        {"num_train_timesteps", std::to_string(config.num_train_timesteps)},
        {"beta_start", format_number(config.beta_start)},
        {"beta_end", format_number(config.beta_end)},
        {"beta_schedule", name(config.beta_schedule, beta_schedules)},
        {"trained_betas", list(config.trained_betas)},
        {"rescale_betas_zero_snr", flag(config.rescale_betas_zero_snr)},
        {"prediction_type", name(config.prediction_type, prediction_types)},
        {"thresholding", flag(config.thresholding)},
        {"dynamic_thresholding_ratio", format_number(config.dynamic_thresholding_ratio)},
        {"sample_max_value", format_number(config.sample_max_value)},
        {"clip_sample", flag(config.clip_sample)},
        {"clip_sample_range", format_number(config.clip_sample_range)},
        {"timestep_scaling", format_number(config.timestep_scaling)},
        {"original_inference_steps", std::to_string(config.original_inference_steps)},
        {"every_timestep", flag(config.every_timestep)},
        {"timestep_spacing", name(config.timestep_spacing, timestep_spacings)},
        {"steps_offset", std::to_string(config.steps_offset)},
        {"set_alpha_to_one", flag(config.set_alpha_to_one)},
        {"skip_prk_steps", flag(config.skip_prk_steps)},
        {"variance_type", name(config.variance_type, variance_types)},
        {"final_sigmas_type", name(config.final_sigma, final_sigmas)},
        {"solver_order", std::to_string(config.solver_order)},
        {"solver_type", name(config.solver_type, solver_types)},
        {"algorithm_type", name(config.stochastic, algorithms)},
        {"lower_order_final", flag(config.lower_order_final)},
        {"euler_at_final", flag(config.euler_at_final)},
        {"disable_corrector", list(config.disable_corrector)},
        {"timesteps", list(config.timesteps)},
        {"sigmas", list(config.sigmas)},
        {"num_inference_steps", std::to_string(config.num_inference_steps)},
        {"guidance_rescale", format_number(config.guidance_rescale)},
        {"start_noise", name(config.start_noise, start_noises)},
        {"rng_rows", std::to_string(config.rng_rows)},
        {"rng_row", std::to_string(config.rng_row)},
    };
    for (const auto& [key, spacing] : sigma_flags) all.emplace(key, flag(config.sigma_spacing == spacing));
    return all;
}

void expect_known_keys(const Json& json) {
    const auto known = settings(SchedulerConfig());
    for (const auto& [key, unused] : json.as_object())
        if (!key.starts_with('_') && !known.contains(key)) refuse(json, key, "is no setting of the LCM scheduler");
}

}  // namespace

SchedulerConfig SchedulerConfig::from_json(const Json& json, const SchedulerConfig& defaults) {
    SchedulerConfig config = defaults;
    const std::string name = json.get("_class_name", "LCMScheduler");
    if (name == "LCMScheduler" || name == "TCDScheduler")
        expect_known_keys(json);
    else if (!json.find("trained_betas"))
        for (const char* key : {"beta_start", "beta_end", "beta_schedule"}) json.at(key);
    read_noise_schedule(json, config);
    read_limits(json, config);
    read_timesteps(json, config);
    read_sigmas(json, config);
    read_solver(json, config);
    read_run(json, config);
    return config;
}

SchedulerConfig SchedulerConfig::from_json(const Json& json) { return from_json(json, SchedulerConfig()); }

std::string SchedulerConfig::to_json(std::span<const std::string_view> keys) const {
    const Settings all = settings(*this), usual = settings(SchedulerConfig());
    Settings chosen;
    const auto choose = [&](std::string_view key) { chosen.insert(*all.find(key)); };
    for (const std::string_view key : noise_schedule) choose(key);
    for (const std::string_view key : keys) choose(key);
    for (const std::string_view key : of_a_run)
        if (all.find(key)->second != usual.find(key)->second) choose(key);
    std::vector<std::string> members;
    for (const auto& [key, value] : chosen) members.push_back(json_quote(key) + ":" + value);
    return fmt::format("{{{}}}", fmt::join(members, ","));
}

}  // namespace lcm
