#include "lib/sampling/run_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/sampling/convention.h"
#include "lib/sampling/picture_size.h"
#include "lib/sampling/recorded_wishes.h"
#include "lib/sampling/settings_reader.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr std::string_view latent_space = "scaled", layout = "CHW";
constexpr std::uint64_t max_steps = 1'000'000;
constexpr double most_merged = 0.75;  // the others are what tokens are merged into

constexpr const char* start_again = "start the picture again from its conditioning";

std::optional<Strength> read_strength(const SettingsReader& reader) {
    if (!reader.has(key::strength)) return std::nullopt;
    return Strength{reader.strength_rule(), reader.share(key::strength)};
}

template <typename T>
void set(T& setting, const std::optional<T>& wish) {
    if (wish) setting = *wish;
}

/// What spares operations and changes the picture a little.
void set_savings(RunSettings& settings, const DenoiseRequest& request) {
    set(settings.token_merge, request.token_merge);
    set(settings.reuse_deep, request.reuse_deep);
    if (!(settings.token_merge >= 0 && settings.token_merge <= most_merged))
        throw Error(ExitCode::usage, "token merge", fmt::format("must lie in 0..{}", most_merged));
    if (settings.reuse_deep < 1) throw Error(ExitCode::usage, "reuse of deep blocks", "must be at least 1");
}

void read_savings(RunSettings& settings, const SettingsReader& reader) {
    if (reader.has(key::token_merge)) settings.token_merge = reader.share(key::token_merge);
    if (reader.has(key::reuse_deep)) settings.reuse_deep = static_cast<int>(reader.count(key::reuse_deep, 1, max_steps));
    if (settings.token_merge > most_merged) reader.refuse(key::token_merge, fmt::format("is above {}", most_merged));
}

void check_guidance(double guidance) {
    if (!std::isfinite(guidance)) throw Error(ExitCode::usage, "guidance", "must be a finite number");
}

void set_lists(SchedulerConfig& schedule, const DenoiseRequest& request) {
    if (request.timesteps && request.timesteps->empty()) throw Error(ExitCode::usage, "timesteps", "is an empty list");
    if (request.sigmas && request.sigmas->size() < 2) throw Error(ExitCode::usage, "sigmas", "needs a noise level before and after a step");
    if (request.timesteps && request.sigmas)
        throw Error(ExitCode::usage, "sigmas", "and timesteps contradict each other", "leave out one of them");
    set(schedule.timesteps, request.timesteps);
    set(schedule.sigmas, request.sigmas);
}

/// The settings of the sampler's class under those of the model's file under those of the request.
SchedulerConfig starting_schedule(const SamplerKind& kind, const DenoiseRequest& request, const ModelSettings& model) {
    SchedulerConfig schedule = settings_for_sampler(kind, model.scheduler);
    // The classes' own defaults are for networks on pixels: latents go beyond 1, and no published file wants Runge-Kutta steps.
    if (!model.scheduler.find("clip_sample")) schedule.clip_sample = false;
    if (!model.scheduler.find("skip_prk_steps")) schedule.skip_prk_steps = true;
    if (model.steps_offset) schedule.steps_offset = 1;
    if (request.original_steps) {
        if (*request.original_steps < 1) throw Error(ExitCode::usage, "original steps", "must be at least 1");
        schedule.original_inference_steps = *request.original_steps;
        schedule.every_timestep = kind.name == "tcd";
    }
    set_lists(schedule, request);
    set(schedule.timestep_spacing, request.spacing);
    set(schedule.sigma_spacing, request.sigma_spacing);
    set(schedule.rescale_betas_zero_snr, request.zero_snr);
    set(schedule.set_alpha_to_one, request.set_alpha_to_one);
    set(schedule.clip_sample, request.clip_sample);
    set(schedule.guidance_rescale, request.guidance_rescale);
    set(schedule.start_noise, request.start_noise);
    if (!(schedule.guidance_rescale >= 0 && schedule.guidance_rescale <= 1))
        throw Error(ExitCode::usage, "guidance rescale", "must lie in 0..1");
    schedule.rng_rows = request.rng_rows;
    schedule.rng_row = request.rng_row;
    return schedule;
}

/// Strength of a picture that starts from a latent; the reference's defaults are 0.8, and 1 with a mask.
std::optional<Strength> starting_strength(const Record& record, const DenoiseRequest& request, bool lcm_rule) {
    if (!record.tensors.contains(tensor::latent_init)) {
        if (!request.strength) return std::nullopt;
        throw Error(ExitCode::usage, "strength", fmt::format("is about {}, which {} does not have", tensor::latent_init, record.place),
                    "encode a picture to start from, or leave it out");
    }
    constexpr double usual = 0.8;
    const bool masked = record.tensors.contains(tensor::latent_mask);
    auto rule = request.strength_rule.value_or(lcm_rule ? Strength::Rule::lcm : Strength::Rule::cut);
    if (rule == Strength::Rule::stretch && (request.timesteps || request.sigmas)) rule = Strength::Rule::cut;  // a list is what it is
    return Strength{rule, request.strength.value_or(masked ? 1 : usual)};
}

int usual_steps(const SchedulerConfig& schedule, const ModelSettings& model) {
    if (!schedule.timesteps.empty()) return static_cast<int>(schedule.timesteps.size());
    if (!schedule.sigmas.empty()) return static_cast<int>(schedule.sigmas.size()) - 1;
    return static_cast<int>(model.defaults.steps);
}

std::string format_sigmas(const std::vector<double>& sigmas) { return format_timesteps(sigmas); }

void expect_same_schedule(const DenoiseRequest& request, const RunSettings& settings, const Record& record) {
    const SchedulerConfig& schedule = settings.schedule;
    const auto same = [](const auto& wish, const auto& ours) { return wish.value_or(ours) == ours; };
    const std::string& text = record.at(key::schedule);
    const int original = schedule.original_inference_steps;
    expect_same("original steps", same(request.original_steps, original), std::to_string(original));
    const std::string& timesteps = record.at(key::timesteps);
    const bool listed = !request.timesteps || format_timesteps({request.timesteps->begin(), request.timesteps->end()}) == timesteps ||
                        *request.timesteps == schedule.timesteps;
    expect_same("timesteps", listed, timesteps);
    expect_same("sigmas", same(request.sigmas, schedule.sigmas), format_sigmas(schedule.sigmas));
    expect_same("spacing", same(request.spacing, schedule.timestep_spacing), text);
    expect_same("spacing of sigmas", same(request.sigma_spacing, schedule.sigma_spacing), text);
    expect_same("zero-SNR rescaling", same(request.zero_snr, schedule.rescale_betas_zero_snr), text);
    expect_same("guidance rescale", same(request.guidance_rescale, schedule.guidance_rescale), format_number(schedule.guidance_rescale));
    expect_same("start noise", same(request.start_noise, schedule.start_noise), text);
}

void expect_same_run(const DenoiseRequest& request, const RunSettings& settings) {
    const bool stretched = settings.strength && settings.strength->rule == Strength::Rule::stretch;
    const int steps = stretched ? settings.steps : settings.schedule_steps();
    expect_same("steps", request.steps.value_or(steps) == steps, std::to_string(steps));
    expect_same("guidance", request.guidance.value_or(settings.guidance) == settings.guidance, format_number(settings.guidance));
    const PictureSize size{settings.width, settings.height};
    expect_same("width", request.width.value_or(size.width) == size.width, format_size(size));
    expect_same("height", request.height.value_or(size.height) == size.height, format_size(size));
    expect_same("sampler", !request.sampler || parse_sampler_name(*request.sampler).name == settings.sampler, settings.sampler);
    expect_same("eta", request.eta.value_or(settings.eta) == settings.eta, format_number(settings.eta));
    expect_same("rng", request.rng.value_or(settings.rng) == settings.rng, std::string(name_of(settings.rng)));
    expect_same("token merge", request.token_merge.value_or(settings.token_merge) == settings.token_merge,
                format_number(settings.token_merge));
    expect_same("reuse of deep blocks", request.reuse_deep.value_or(settings.reuse_deep) == settings.reuse_deep,
                std::to_string(settings.reuse_deep));
    const Strength strength = settings.strength.value_or(Strength());
    expect_same("strength", request.strength.value_or(strength.value) == strength.value, format_number(strength.value));
    const bool same_rule = !settings.strength || request.strength_rule.value_or(strength.rule) == strength.rule;
    expect_same("strength rule", same_rule, std::string(name_of(strength.rule)));
}

}  // namespace

void expect_same(std::string_view what, bool same, const std::string& recorded) {
    if (same) return;
    throw Error(ExitCode::usage, std::string(what), "contradicts the record, which has " + recorded,
                "leave it out, or start from the conditioning");
}

SamplerName parse_sampler_name(const std::string& text) {
    constexpr std::string_view karras = "-karras";
    if (!text.ends_with(karras)) return {text, std::nullopt};
    return {text.substr(0, text.size() - karras.size()), SigmaSpacing::karras};
}

RunSettings RunSettings::start(const Record& record, const DenoiseRequest& asked, const ModelSettings& model) {
    const DenoiseRequest request = with_wishes(record, asked);
    const SamplerName named = parse_sampler_name(request.sampler.value_or("lcm"));
    const SamplerKind& kind = sampler_kind(named.name, ExitCode::usage, "--sampler");
    RunSettings settings;
    settings.precision = model.precision;
    settings.inpainting = model.inpainting;
    settings.sampler = kind.name;
    settings.schedule = starting_schedule(kind, request, model);
    set(settings.schedule.sigma_spacing, named.spacing);
    settings.expect_read(kind, request);
    settings.steps = request.steps.value_or(usual_steps(settings.schedule, model));
    settings.guidance = request.guidance.value_or(model.defaults.guidance);
    check_guidance(settings.guidance);
    settings.eta = request.eta.value_or(0);
    set_savings(settings, request);
    settings.strength = starting_strength(record, request, model.guidance_embedding && kind.takes_lcm_strength);
    settings.seed = request.seed;
    settings.rng = request.rng.value_or(Rng::torch_cpu);
    const PictureSize size = starting_size(record, request, model);
    settings.width = size.width;
    settings.height = size.height;
    const int whole = settings.strength ? whole_steps(settings.steps, *settings.strength) : settings.steps;
    settings.steps = whole;
    const int run = static_cast<int>(make_sampler(settings.sampler, settings.plan())->timesteps().size());
    if (run != whole) settings.schedule.num_inference_steps = whole;
    settings.steps = run;
    return settings;
}

void RunSettings::expect_read(const SamplerKind& kind, const DenoiseRequest& request) const {
    const auto reads = [&](std::string_view key) {
        return std::find(kind.settings.begin(), kind.settings.end(), key) != kind.settings.end();
    };
    const auto expect = [&](std::string_view what, bool asked, std::string_view key) {
        if (asked && !reads(key))
            throw Error(ExitCode::usage, std::string(what), fmt::format("has no meaning for the sampler {}", kind.name), "leave it out");
    };
    expect("original steps", request.original_steps.has_value(), "original_inference_steps");
    expect("spacing", request.spacing.has_value(), "timestep_spacing");
    expect("sigmas", request.sigmas.has_value(), "use_karras_sigmas");
    expect("spacing of sigmas", schedule.sigma_spacing != SigmaSpacing::plain, "use_karras_sigmas");
}

RunSettings RunSettings::resume(const Record& record, const DenoiseRequest& request, const ModelSettings& model) {
    const SettingsReader reader(record, start_again);
    reader.expect(key::precision, name(model.precision));
    reader.expect(key::latent_space, latent_space);
    reader.expect(key::layout, layout);
    RunSettings settings;
    settings.precision = model.precision;
    settings.inpainting = model.inpainting;
    settings.sampler = record.at(key::sampler);
    const SamplerKind& kind = sampler_kind(settings.sampler, ExitCode::data, fmt::format("{}: {}", record.place, key::sampler));
    const std::string place = fmt::format("{}: {}", record.place, key::schedule);
    settings.schedule = settings_for_sampler(kind, parse_json(record.at(key::schedule), place));
    settings.steps = static_cast<int>(reader.count(key::steps, 1, max_steps));
    settings.guidance = reader.number(key::guidance);
    settings.eta = kind.takes_eta ? reader.number(key::eta) : 0;
    read_savings(settings, reader);
    settings.strength = read_strength(reader);
    settings.seed = reader.count(key::seed, 0, UINT64_MAX);
    settings.rng = reader.rng();
    const PictureSize size = recorded_size(record, model.latent);
    settings.width = size.width;
    settings.height = size.height;
    expect_same_run(request, settings);
    expect_same_schedule(request, settings, record);
    return settings;
}

void RunSettings::write(Record& record, const std::vector<double>& timesteps) const {
    const SamplerKind& kind = sampler_kind(sampler, ExitCode::software, key::sampler);
    record.set(key::sampler, sampler);
    record.set(key::schedule, schedule.to_json(kind.settings));
    record.set(key::steps, std::to_string(steps));
    record.set(key::timesteps, format_timesteps(timesteps));
    if (!schedule.sigmas.empty()) record.set(key::sigmas, format_sigmas(schedule.sigmas));
    record.set(key::guidance, format_number(guidance));
    if (kind.takes_eta) record.set(key::eta, format_number(eta));
    if (token_merge > 0) record.set(key::token_merge, format_number(token_merge));
    if (reuse_deep > 1) record.set(key::reuse_deep, std::to_string(reuse_deep));
    if (strength) {
        record.set(key::strength, format_number(strength->value));
        record.set(key::strength_rule, std::string(name_of(strength->rule)));
    }
    record.set(key::seed, std::to_string(seed));
    record.set(key::rng, std::string(name_of(rng)));
    record.set(key::precision, std::string(name(precision)));
    record.set(key::latent_space, std::string(latent_space));
    record.set(key::layout, std::string(layout));
    record.set(key::size, format_size({width, height}));
}

std::vector<std::int64_t> RunSettings::latent_shape(const LatentFormat& format) const {
    return {format.channels, height / format.factor, width / format.factor};
}

std::string format_timesteps(const std::vector<double>& timesteps) {
    std::vector<std::string> items;
    for (const double timestep : timesteps) items.push_back(format_number(timestep));
    return fmt::format("[{}]", fmt::join(items, ","));
}

}  // namespace lcm
