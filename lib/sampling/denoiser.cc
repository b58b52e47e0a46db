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
#include "lib/core/adapter/adapted_weights.h"
#include "lib/core/bundle/record_check.h"
#include "lib/core/bundle/size_condition.h"
#include "lib/sampling/guided_unet.h"
#include "lib/sampling/inpaint_input.h"
#include "lib/sampling/run_settings.h"
#include "lib/sampling/sampler.h"
#include "lib/sampling/schedule.h"
#include "lib/sampling/steering.h"
#include "lib/sampling/trajectory.h"
#include "lib/stream/keys.h"

namespace lcm {

struct Denoiser::State {
    State(const Bundle& bundle, AdapterSet set, ControlSet networks);

    void sign(Record& record) const;

    AdapterSet adapters;
    ControlSet control;
    std::string name, arch, sha256;
    RecordCheck check;
    UNet unet;
    ModelSettings settings;
};

namespace {

/// A model without a scheduler's configuration has the published settings of its family, where there is only one such set.
Json scheduler_settings(const Bundle& bundle) {
    if (!bundle.scheduler_config().is_null()) return bundle.scheduler_config();
    if (bundle.arch() == "sd15" || bundle.arch() == "sdxl") return parse_json("{}", bundle.path());
    throw Error(ExitCode::data, bundle.path(), "has no scheduler/scheduler_config.json, and its family does not tell the prediction type",
                "add the file, or give --prediction-type");
}

ModelSettings settings_of(const Bundle& bundle) {
    const auto config = UNetConfig::from_json(bundle.config(Part::unet));
    // The reference's pipeline of SD 1.5 and 2 sets the offset, that of SDXL leaves it.
    ModelSettings settings{
        scheduler_settings(bundle), bundle.defaults(), bundle.latent_format(), bundle.precision(), config.time_cond_proj_dim.has_value(),
        !config.text_time};
    const std::int64_t channels = settings.latent.channels;
    settings.inpainting = config.in_channels == inpaint_channels(channels);
    if ((config.in_channels != channels && !settings.inpainting) || config.out_channels != channels) {
        throw Error(
            ExitCode::data, bundle.path(),
            fmt::format("the UNet takes {} channels and gives {}, latents have {}", config.in_channels, config.out_channels, channels),
            "use a text-to-picture or inpainting model");
    }
    return settings;
}

}  // namespace

Denoiser::State::State(const Bundle& bundle, AdapterSet set, ControlSet networks)
    : adapters(std::move(set)),
      control(std::move(networks)),
      name(bundle.name()),
      arch(bundle.arch()),
      sha256(bundle.sha256(Part::unet)),
      check(bundle),
      unet(bundle.unet(weight_layer(adapters, Network::unet))),
      settings(settings_of(bundle)) {}

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
        return make_sampler(settings.sampler, settings.plan());
    } catch (const Error& error) {
        throw Error(ExitCode::data, record.place, fmt::format("{} with {}: {}", key::sampler, key::schedule, error.fault()),
                    "start the picture again from its conditioning");
    }
}

/// Custom timesteps are held against the distillation schedule where the sampler has one.
std::vector<std::string> warnings_of(const RunSettings& settings) {
    if (!sampler_kind(settings.sampler, ExitCode::software, key::sampler).takes_lcm_strength) return {};
    return timestep_warnings(settings.schedule, settings.strength.value_or(Strength()));
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

Denoiser::Denoiser(const Bundle& bundle, AdapterSet adapters, ControlSet control)
    : state_(std::make_unique<State>(bundle, std::move(adapters), std::move(control))) {}
Denoiser::~Denoiser() = default;

Record Denoiser::denoise(const Record& input, const DenoiseRequest& request, int index, Observer& observer) const {
    const c10::InferenceMode no_gradients;
    const ModelSettings& model = state_->settings;
    state_->check.expect_same_model(input, Part::unet);
    state_->check.expect_latent(input);
    const bool started = input.find(key::step) != nullptr;
    const Progress progress = started ? progress_of(input) : Progress{};
    if (started && progress.done == progress.steps) return pass_finished(input, request, progress.steps);
    expect_from(request, progress.done);
    if (!started) expect_conditioning(input);

    const RunSettings settings = started ? RunSettings::resume(input, request, model) : RunSettings::start(input, request, model);
    const std::unique_ptr<Sampler> sampler = started ? recorded_sampler(input, settings) : make_sampler(settings.sampler, settings.plan());
    const int to = target(request, progress.done, settings.steps);
    if (!started && index == 0)  // every picture of a run has the same list
        for (const std::string& warning : warnings_of(settings)) warn(warning);

    Record output = input;
    if (state_->unet.config().text_time) set_size_condition(output, settings.width, settings.height);
    const std::vector<std::int64_t> shape = settings.latent_shape(model.latent);
    Trajectory run = started ? Trajectory::restore(input, settings, *sampler, shape) : Trajectory::start(input, settings, *sampler, shape);
    const Steering steering(state_->adapters, *sampler, settings.schedule.prediction_type);
    if (!started) steering.begin(run.state);
    const Record conditions = steering.conditions(output);
    const Guidance guidance{settings.guidance, settings.schedule.guidance_rescale};
    state_->check.expect_conditions(conditions, guidance.is_classifier_free(state_->unet.config()));
    GuidedUNet guided(state_->unet, conditions, guidance);
    const PictureControl control(state_->control, {output, settings.width, settings.height, guided.classifier_free()});
    guided.follow(control, run.state, settings.steps);
    if (run.inpaint) guided.append(run.inpaint->channels());
    const auto told = [&](const at::Tensor& sample, double timestep) {
        observer.on_network(sample.size(0) * (guided.classifier_free() ? 2 : 1), sample.size(2), sample.size(3));
        return guided(sample, timestep);
    };
    const DenoiseFunction network = steering.around(told, run.state);
    observer.on_start(index, run.state.step, settings.steps);
    while (run.state.step < to) {
        check_stop();
        run.step(*sampler, network);
        observer.on_step(index, run.state.step, settings.steps);
    }
    if (run.state.step == settings.steps) steering.finish(run.state);

    state_->sign(output);
    settings.write(output, sampler->timesteps());
    run.save(output, *sampler);
    return output;
}

}  // namespace lcm
