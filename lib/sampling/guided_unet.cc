#include "lib/sampling/guided_unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/std.h>
#include <fmt/format.h>

#include <string>

#include "lib/base/error.h"
#include "lib/core/tensor/convert.h"
#include "lib/sampling/picture_control.h"
#include "lib/sampling/sampler.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr const char* encode_again = "encode the prompt with the model that denoises";

/// A text embedding of the record as [1,T,D] in f32.
at::Tensor embedding(const Record& record, std::string_view name) {
    return to_torch(record.tensor(name, encode_again)).to(at::kFloat).unsqueeze(0);
}

/// A vector of the record as [1,N] in f32.
at::Tensor vector(const Record& record, std::string_view name) {
    const at::Tensor stored = to_torch(record.tensor(name, encode_again));
    expect_shape(stored, {-1}, fmt::format("{}: {}", record.place, name));
    return stored.to(at::kFloat).unsqueeze(0);
}

}  // namespace

bool Guidance::is_classifier_free(const UNetConfig& unet) const { return !unet.time_cond_proj_dim && scale > 1; }

GuidedUNet::GuidedUNet(const UNet& unet, const Record& record, const Guidance& guidance)
    : unet_(unet), place_(record.place), scale_(guidance), classifier_free_(guidance.is_classifier_free(unet.config())) {
    context_ = embedding(record, tensor::text_embeds);
    if (unet.config().time_cond_proj_dim) guidance_ = at::full({1}, guidance.scale - 1, at::TensorOptions().dtype(at::kFloat));
    if (unet.config().text_time) bind_pooled(record);
    if (!classifier_free_) return;
    const at::Tensor negative = embedding(record, tensor::text_negative_embeds);
    if (negative.sizes() != context_.sizes()) {
        throw Error(ExitCode::data, record.place,
                    fmt::format("{} has {} tokens, {} has {}", tensor::text_embeds, context_.size(1), tensor::text_negative_embeds,
                                negative.size(1)),
                    encode_again);
    }
    context_ = at::cat({negative, context_});
}

void GuidedUNet::bind_pooled(const Record& record) {
    pooled_ = vector(record, tensor::text_pooled);
    time_ids_ = vector(record, tensor::text_time_ids);
    if (!classifier_free_) return;
    pooled_ = at::cat({vector(record, tensor::text_negative_pooled), pooled_});
    time_ids_ = at::cat({vector(record, tensor::text_negative_time_ids), time_ids_});
}

at::Tensor GuidedUNet::guide(const at::Tensor& unconditional, const at::Tensor& conditional) const {
    const at::Tensor guided = unconditional + (conditional - unconditional) * scale_.scale;
    if (scale_.rescale == 0) return guided;
    const at::Tensor ratio = at::std(conditional) / at::std(guided);  // of one picture
    return guided * ratio * scale_.rescale + guided * (1 - scale_.rescale);
}

void GuidedUNet::follow(const PictureControl& control, const SamplerState& state, int steps) {
    control_ = &control;
    state_ = &state;
    steps_ = steps;
}

UNetInputs GuidedUNet::inputs(const at::Tensor& sample, double timestep) const {
    UNetInputs inputs;
    inputs.sample = classifier_free_ ? at::cat({sample, sample}) : sample;
    inputs.timestep = at::full({1}, timestep, at::TensorOptions().dtype(at::kFloat));
    inputs.context = context_;
    inputs.context_cache = context_cache_;
    inputs.guidance = guidance_;
    inputs.text_pooled = pooled_;
    inputs.time_ids = time_ids_;
    if (control_) control_->add_to(inputs, state_->step, steps_);
    if (appended_.defined()) inputs.sample = at::cat({inputs.sample, classifier_free_ ? at::cat({appended_, appended_}) : appended_}, 1);
    return inputs;
}

at::Tensor GuidedUNet::output(const UNetOutputs& given, double timestep) const {
    at::Tensor output = given.sample;
    if (classifier_free_) output = guide(output.narrow(0, 0, 1), output.narrow(0, 1, 1));
    expect_finite(output, fmt::format("{}: the UNet's output at timestep {}", place_, timestep));
    // Row-major, as a restored sample is: a resumed run then meets the same memory as an unbroken one.
    return output.contiguous();
}

}  // namespace lcm
