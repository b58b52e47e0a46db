#include "lib/sampling/picture_run.h"

#include <fmt/format.h>

#include <utility>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/core/adapter/adapted_weights.h"
#include "lib/core/bundle/size_condition.h"
#include "lib/core/tensor/device.h"
#include "lib/sampling/denoiser.h"
#include "lib/sampling/inpaint_input.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

/// A model without a scheduler's configuration has the published settings of its family, where there is only one such set.
Json scheduler_settings(const Bundle& bundle) {
    if (!bundle.scheduler_config().is_null()) return bundle.scheduler_config();
    if (bundle.arch() == "sd15" || bundle.arch() == "sdxl") return parse_json("{}", bundle.path());
    throw Error(ExitCode::data, bundle.path(), "has no scheduler/scheduler_config.json, and its family does not tell the prediction type",
                "add the file, or give --prediction-type");
}

}  // namespace

ModelSettings model_settings(const Bundle& bundle) {
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

DenoiseModel::DenoiseModel(const Bundle& bundle, AdapterSet set, ControlSet networks)
    : adapters(std::move(set)),
      control(std::move(networks)),
      name(bundle.name()),
      arch(bundle.arch()),
      sha256(bundle.sha256(Part::unet)),
      device(bundle.device()),
      check(bundle),
      unet(bundle.unet(weight_layer(adapters, Network::unet))),
      settings(model_settings(bundle)) {}

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

/// Whether the record was started before; it must fit the model and what is asked. @throws as PictureRun
bool check_start(const DenoiseModel& model, const Record& record, const DenoiseRequest& request) {
    model.check.expect_same_model(record, Part::unet);
    model.check.expect_latent(record);
    const bool started = record.find(key::step) != nullptr;
    expect_from(request, started ? progress_of(record).done : 0);
    if (!started) expect_conditioning(record);
    return started;
}

Record with_size_condition(const DenoiseModel& model, Record record, const RunSettings& settings) {
    if (model.unet.config().text_time) set_size_condition(record, settings.width, settings.height);
    return record;
}

Guidance guidance_of(const RunSettings& settings) { return {settings.guidance, settings.schedule.guidance_rescale}; }

/// The record of conditions, once it is known to fit the UNet.
Record checked_conditions(const DenoiseModel& model, Record conditions, const Guidance& guidance) {
    model.check.expect_conditions(conditions, guidance.is_classifier_free(model.unet.config()));
    return conditions;
}

}  // namespace

Record pass_finished(const Record& record, const DenoiseRequest& request, int steps) {
    expect_from(request, steps);
    target(request, steps, steps);
    if (request.from) return record;
    throw Error(ExitCode::data, record.place, fmt::format("the picture is already denoised, all {} steps", steps),
                "give a record of lcm-encode, or name its last step to pass it on");
}

RunSettings settings_for(const Bundle& bundle, const Record& record, const DenoiseRequest& request) {
    const auto model = model_settings(bundle);
    if (record.find(key::step) != nullptr) return RunSettings::resume(record, request, model);
    expect_conditioning(record);
    return RunSettings::start(record, request, model);
}

PictureRun::PictureRun(const DenoiseModel& model, const Record& input, const DenoiseRequest& request)
    : model_(model),
      started_(check_start(model, input, request)),
      settings_(started_ ? RunSettings::resume(input, request, model.settings) : RunSettings::start(input, request, model.settings)),
      sampler_(started_ ? recorded_sampler(input, settings_) : make_sampler(settings_.sampler, settings_.plan())),
      to_(target(request, started_ ? progress_of(input).done : 0, settings_.steps)),
      output_(with_size_condition(model, input, settings_)),
      run_(started_ ? Trajectory::restore(input, settings_, *sampler_, settings_.latent_shape(model.settings.latent))
                    : Trajectory::start(input, settings_, *sampler_, settings_.latent_shape(model.settings.latent))),
      steering_(model.adapters, *sampler_, settings_.schedule.prediction_type),
      guided_(model.unet, checked_conditions(model, steering_.conditions(output_), guidance_of(settings_)), guidance_of(settings_)),
      control_(model.control, {output_, settings_.width, settings_.height, guided_.classifier_free()}) {
    if (!started_) steering_.begin(run_.state);
    guided_.follow(control_, run_.state, settings_.steps);
    if (run_.inpaint) guided_.append(run_.inpaint->channels());
}

double PictureRun::timestep() const { return sampler_->timesteps()[static_cast<std::size_t>(step())]; }

UNetInputs PictureRun::question() const {
    UNetInputs inputs = guided_.inputs(steering_.before(run_.state.sample, run_.state, timestep()), timestep());
    inputs.token_merge = settings_.token_merge;
    if (run_.reuses_deep(settings_.reuse_deep)) inputs.deep = run_.deep;
    return inputs;
}

void PictureRun::take(const UNetOutputs& answer) {
    if (settings_.reuse_deep > 1) run_.deep = answer.deep;
    const at::Tensor output = guided_.output(answer, timestep());
    run_.step(*sampler_, [&](const at::Tensor& sample, double at) { return steering_.after(sample, output, run_.state, at); });
}

/// Writes which model made the latent.
void PictureRun::sign(Record& record) const {
    record.set(key::kind, std::string(kind::latent));
    record.set(key::arch, model_.arch);
    record.set(key::model, model_.name);
    record.set(key::unet_sha256, model_.sha256);
    sign_device(record, model_.device);
    record.set(key::vae_scale, format_number(model_.settings.latent.scaling_factor));
}

Record PictureRun::finish() {
    if (step() == steps()) steering_.finish(run_.state);
    sign(output_);
    settings_.write(output_, sampler_->timesteps());
    run_.save(output_, *sampler_, settings_.reuse_deep);
    return std::move(output_);
}

}  // namespace lcm
