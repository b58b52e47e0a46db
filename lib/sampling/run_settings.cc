#include "lib/sampling/run_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/resource_limits.h"
#include "lib/sampling/lcm_sampler.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr std::string_view precision = "f32", rng = "torch-cpu", latent_space = "scaled", layout = "CHW";
constexpr std::uint64_t max_steps = 1'000'000;

struct Size {
    std::int64_t width = 0, height = 0;
};

std::string format(const Size& size) { return fmt::format("{}x{}", size.width, size.height); }

[[noreturn]] void refuse(const Record& record, std::string_view key, const std::string& what) {
    throw Error(ExitCode::data, record.place, fmt::format("{} {}", key, what), "start the picture again from its conditioning");
}

/// A picture's size from "512x768".
Size parse_size(const Record& record) {
    const std::string& text = record.at(key::size);
    const std::size_t cross = text.find('x');
    const auto width = parse_u64(std::string_view(text).substr(0, cross));
    const auto height = parse_u64(cross == std::string::npos ? std::string_view() : std::string_view(text).substr(cross + 1));
    constexpr auto limit = static_cast<std::uint64_t>(INT32_MAX);
    if (!width || !height || *width > limit || *height > limit) refuse(record, key::size, "is not WIDTHxHEIGHT");
    return {static_cast<std::int64_t>(*width), static_cast<std::int64_t>(*height)};
}

std::uint64_t read_count(const Record& record, std::string_view key, std::uint64_t low, std::uint64_t high) {
    const auto value = parse_u64(record.at(key));
    if (!value || *value < low || *value > high) refuse(record, key, fmt::format("is not a number in {}..{}", low, high));
    return *value;
}

void expect_value(const Record& record, std::string_view key, std::string_view ours) {
    const std::string& value = record.at(key);
    if (value != ours) refuse(record, key, fmt::format("is \"{}\", and only \"{}\" can be resumed", value, ours));
}

/// Refuses a request that says other than what the record already fixed.
void expect_same(std::string_view what, bool same, const std::string& recorded) {
    if (same) return;
    throw Error(ExitCode::usage, std::string(what), "contradicts the record, which has " + recorded,
                "leave it out, or start from the conditioning");
}

void check_size(const Size& size, const LatentFormat& latent, ExitCode code, const std::string& where) {
    const std::string text = fmt::format("a picture of {} ", format(size));
    if (size.width < 1 || size.height < 1 || size.width % latent.factor != 0 || size.height % latent.factor != 0)
        throw Error(code, where, text + "is not possible", fmt::format("width and height must be positive multiples of {}", latent.factor));
    expect_picture_size(size.width, size.height, where + ": the picture");
}

/// The size that the record itself asks for: `lcm.size`, else that of its noise.
std::optional<Size> recorded_size(const Record& record, const LatentFormat& latent) {
    if (record.find(key::size)) return parse_size(record);
    const auto noise = record.tensors.find(tensor::noise);
    if (noise == record.tensors.end() || noise->second.shape.size() != 3) return std::nullopt;
    return Size{noise->second.shape[2] * latent.factor, noise->second.shape[1] * latent.factor};
}

Size starting_size(const Record& record, const DenoiseRequest& request, const ModelSettings& model) {
    const std::optional<Size> recorded = recorded_size(record, model.latent);
    if (recorded) {
        expect_same("width", request.width.value_or(recorded->width) == recorded->width, format(*recorded));
        expect_same("height", request.height.value_or(recorded->height) == recorded->height, format(*recorded));
        check_size(*recorded, model.latent, ExitCode::data, record.place);
        return *recorded;
    }
    const Size size{request.width.value_or(model.defaults.width), request.height.value_or(model.defaults.height)};
    check_size(size, model.latent, ExitCode::usage, "size");
    return size;
}

SchedulerConfig starting_schedule(const DenoiseRequest& request, const SchedulerConfig& model) {
    SchedulerConfig schedule = model;
    if (request.original_steps) {
        if (*request.original_steps < 1) throw Error(ExitCode::usage, "original steps", "must be at least 1");
        schedule.original_inference_steps = *request.original_steps;
    }
    if (request.timesteps) {
        if (request.timesteps->empty()) throw Error(ExitCode::usage, "timesteps", "is an empty list");
        schedule.timesteps = *request.timesteps;
    }
    return schedule;
}

/// The steps that the request asks for, else those that the record does.
std::optional<int> wished_steps(const Record& record, const DenoiseRequest& request) {
    if (record.find(key::steps) == nullptr) return request.steps;
    const auto steps = static_cast<int>(read_count(record, key::steps, 1, max_steps));
    expect_same("steps", request.steps.value_or(steps) == steps, std::to_string(steps));
    return steps;
}

std::optional<double> wished_guidance(const Record& record, const DenoiseRequest& request) {
    if (record.find(key::guidance) == nullptr) return request.guidance;
    const auto guidance = parse_number(record.at(key::guidance));
    if (!guidance) refuse(record, key::guidance, "is not a number");
    expect_same("guidance", request.guidance.value_or(*guidance) == *guidance, format_number(*guidance));
    return guidance;
}

void check_guidance(double guidance) {
    if (!std::isfinite(guidance)) throw Error(ExitCode::usage, "guidance", "must be a finite number");
}

}  // namespace

RunSettings RunSettings::start(const Record& record, const DenoiseRequest& request, const ModelSettings& model) {
    RunSettings settings;
    settings.sampler = LcmSampler::name;
    settings.schedule = starting_schedule(request, model.scheduler);
    const std::vector<std::int64_t>& custom = settings.schedule.timesteps;
    const auto usual_steps = static_cast<int>(custom.empty() ? model.defaults.steps : std::ssize(custom));
    settings.steps = wished_steps(record, request).value_or(usual_steps);
    settings.guidance = wished_guidance(record, request).value_or(model.defaults.guidance);
    check_guidance(settings.guidance);
    settings.seed = request.seed;
    const Size size = starting_size(record, request, model);
    settings.width = size.width;
    settings.height = size.height;
    return settings;
}

RunSettings RunSettings::resume(const Record& record, const DenoiseRequest& request, const ModelSettings& model) {
    expect_value(record, key::precision, precision);
    expect_value(record, key::rng, rng);
    expect_value(record, key::latent_space, latent_space);
    expect_value(record, key::layout, layout);
    RunSettings settings;
    settings.sampler = record.at(key::sampler);
    const std::string place = fmt::format("{}: {}", record.place, key::schedule);
    settings.schedule = SchedulerConfig::from_json(parse_json(record.at(key::schedule), place));
    settings.steps = static_cast<int>(read_count(record, key::steps, 1, max_steps));
    const auto guidance = parse_number(record.at(key::guidance));
    if (!guidance) refuse(record, key::guidance, "is not a number");
    settings.guidance = *guidance;
    settings.seed = read_count(record, key::seed, 0, UINT64_MAX);
    const Size size = parse_size(record);
    check_size(size, model.latent, ExitCode::data, record.place);
    settings.width = size.width;
    settings.height = size.height;
    expect_same("steps", request.steps.value_or(settings.steps) == settings.steps, std::to_string(settings.steps));
    expect_same("guidance", request.guidance.value_or(settings.guidance) == settings.guidance, format_number(settings.guidance));
    expect_same("width", request.width.value_or(size.width) == size.width, format(size));
    expect_same("height", request.height.value_or(size.height) == size.height, format(size));
    const int original = settings.schedule.original_inference_steps;
    expect_same("original steps", request.original_steps.value_or(original) == original, std::to_string(original));
    const std::string& timesteps = record.at(key::timesteps);
    expect_same("timesteps", !request.timesteps || format_timesteps(*request.timesteps) == timesteps, timesteps);
    return settings;
}

void RunSettings::write(Record& record, const std::vector<std::int64_t>& timesteps) const {
    record.set(key::sampler, sampler);
    record.set(key::schedule, schedule.to_json());
    record.set(key::steps, std::to_string(steps));
    record.set(key::timesteps, format_timesteps(timesteps));
    record.set(key::guidance, format_number(guidance));
    record.set(key::seed, std::to_string(seed));
    record.set(key::rng, std::string(rng));
    record.set(key::precision, std::string(precision));
    record.set(key::latent_space, std::string(latent_space));
    record.set(key::layout, std::string(layout));
    record.set(key::size, format({width, height}));
}

std::vector<std::int64_t> RunSettings::latent_shape(const LatentFormat& format) const {
    return {format.channels, height / format.factor, width / format.factor};
}

std::string format_timesteps(const std::vector<std::int64_t>& timesteps) { return fmt::format("[{}]", fmt::join(timesteps, ",")); }

}  // namespace lcm
