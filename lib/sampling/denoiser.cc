#include "lib/sampling/denoiser.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/number.h"
#include "lib/base/stop.h"
#include "lib/sampling/guided_unet.h"
#include "lib/sampling/run_settings.h"
#include "lib/sampling/sampler.h"
#include "lib/sampling/schedule.h"
#include "lib/sampling/trajectory.h"
#include "lib/stream/keys.h"

namespace lcm {

struct Denoiser::State {
    explicit State(const Bundle& bundle);

    void expect_fits(const Record& record) const;
    void sign(Record& record) const;

    std::string name, arch, sha256;
    UNet unet;
    ModelSettings settings;
};

namespace {

/// A model without a scheduler's configuration has the published settings of its family, where there is only one such set.
SchedulerConfig scheduler_settings(const Bundle& bundle) {
    if (!bundle.scheduler_config().is_null()) return SchedulerConfig::from_json(bundle.scheduler_config());
    if (bundle.arch() == "sd15") return {};
    throw Error(ExitCode::data, bundle.path(), "has no scheduler/scheduler_config.json, and its family does not tell the prediction type",
                "add the file");
}

ModelSettings settings_of(const Bundle& bundle) {
    const auto config = UNetConfig::from_json(bundle.config(Part::unet));
    if (config.text_time) {
        throw Error(ExitCode::data, bundle.path(), "the UNet takes pooled text and size conditions, which no tool writes yet",
                    "use a model of the sd15 family");
    }
    ModelSettings settings{scheduler_settings(bundle), bundle.defaults(), bundle.latent_format()};
    const std::int64_t channels = settings.latent.channels;
    if (config.in_channels != channels || config.out_channels != channels) {
        throw Error(
            ExitCode::data, bundle.path(),
            fmt::format("the UNet takes {} channels and gives {}, latents have {}", config.in_channels, config.out_channels, channels),
            "use a text-to-picture model");
    }
    return settings;
}

}  // namespace

Denoiser::State::State(const Bundle& bundle)
    : name(bundle.name()), arch(bundle.arch()), sha256(bundle.sha256(Part::unet)), unet(bundle.unet()), settings(settings_of(bundle)) {}

/// Refuses a record that was made for, or begun with, another model.
void Denoiser::State::expect_fits(const Record& record) const {
    const auto expect = [&](std::string_view key, const std::string& ours) {
        const std::string* theirs = record.find(key);
        if (!theirs || *theirs == ours) return;
        throw Error(ExitCode::data, record.place, fmt::format("{} is {} in the record and {} in model {}", key, *theirs, ours, name),
                    "give the model that the record was made with");
    };
    expect(key::arch, arch);
    expect(key::unet_sha256, sha256);
    expect(key::vae_scale, format_number(settings.latent.scaling_factor));
    for (const std::string_view name : {tensor::latent_init, tensor::latent_mask})
        if (record.tensors.contains(name))
            throw Error(ExitCode::data, record.place, fmt::format("holds {}, and denoising from a picture is not implemented", name));
}

/// Writes which model made the latent.
void Denoiser::State::sign(Record& record) const {
    record.set(key::kind, std::string(kind::latent));
    record.set(key::arch, arch);
    record.set(key::model, name);
    record.set(key::unet_sha256, sha256);
    record.set(key::vae_scale, format_number(settings.latent.scaling_factor));
}

namespace {

/// Refuses records that are no start of a picture.
void expect_conditioning(const Record& record) {
    const std::string& kind = record.at(key::kind);
    if (kind == kind::cond || kind == kind::noise) return;
    throw Error(ExitCode::data, record.place, fmt::format("a record of kind \"{}\" without {} is nothing to denoise", kind, key::step),
                "give a record of lcm-encode");
}

void expect_from(const DenoiseRequest& request, int step) {
    if (!request.from || *request.from == step) return;
    throw Error(ExitCode::usage, "from", fmt::format("is {}, but the record stands at step {}", *request.from, step),
                "give that number, or leave it out");
}

/// The step to stop after.
int target(const DenoiseRequest& request, int done, int steps) {
    const int to = request.to.value_or(steps);
    if (to >= done && to <= steps) return to;
    throw Error(ExitCode::usage, "to", fmt::format("is {}, outside {}..{}", to, done, steps), "give a step that is still to come");
}

/// A recorded schedule that contradicts itself is bad data, not a wrong flag.
std::unique_ptr<Sampler> recorded_sampler(const Record& record, const RunSettings& settings) {
    try {
        return make_sampler(settings.sampler, settings.schedule, settings.steps);
    } catch (const Error& error) {
        throw Error(ExitCode::data, record.place, fmt::format("{} with {}: {}", key::sampler, key::schedule, error.fault()),
                    "start the picture again from its conditioning");
    }
}

/// A finished record: passed on when the request asks for exactly that.
Record pass_finished(const Record& record, const DenoiseRequest& request, int steps) {
    expect_from(request, steps);
    target(request, steps, steps);
    if (request.from) return record;
    throw Error(ExitCode::data, record.place, fmt::format("the picture is already denoised, all {} steps", steps),
                "give a record of lcm-encode, or name its last step to pass it on");
}

}  // namespace

RunSettings settings_for(const Bundle& bundle, const Record& record, const DenoiseRequest& request) {
    const auto model = settings_of(bundle);
    if (record.find(key::step) != nullptr) return RunSettings::resume(record, request, model);
    expect_conditioning(record);
    return RunSettings::start(record, request, model);
}

Denoiser::Denoiser(const Bundle& bundle) : state_(std::make_unique<State>(bundle)) {}
Denoiser::~Denoiser() = default;

Record Denoiser::denoise(const Record& input, const DenoiseRequest& request, int index, Observer& observer) const {
    const c10::InferenceMode no_gradients;
    const ModelSettings& model = state_->settings;
    state_->expect_fits(input);
    const bool started = input.find(key::step) != nullptr;
    const Progress progress = started ? progress_of(input) : Progress{};
    if (started && progress.done == progress.steps) return pass_finished(input, request, progress.steps);
    expect_from(request, progress.done);
    if (!started) expect_conditioning(input);

    const RunSettings settings = started ? RunSettings::resume(input, request, model) : RunSettings::start(input, request, model);
    const std::unique_ptr<Sampler> sampler =
        started ? recorded_sampler(input, settings) : make_sampler(settings.sampler, settings.schedule, settings.steps);
    const int to = target(request, progress.done, settings.steps);
    if (!started && index == 0)  // every picture of a run has the same list
        for (const std::string& warning : timestep_warnings(settings.schedule)) warn(warning);

    const std::vector<std::int64_t> shape = settings.latent_shape(model.latent);
    Trajectory run =
        started ? Trajectory::restore(input, settings, sampler->timesteps(), shape) : Trajectory::start(input, settings.seed, shape);
    const GuidedUNet network(state_->unet, input, settings.guidance);
    observer.on_start(index, run.state.step, settings.steps);
    while (run.state.step < to) {
        check_stop();
        sampler->step(run.state, network, run.noise);
        observer.on_step(index, run.state.step, settings.steps);
    }

    Record output = input;
    state_->sign(output);
    settings.write(output, sampler->timesteps());
    run.save(output, sampler->timesteps());
    return output;
}

}  // namespace lcm
