#include "lib/sampling/picture_control.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/core/tensor/convert.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr const char* encode_map = "add one with lcm-encode image --control or --control-map";
constexpr std::int64_t map_channels = 3;

/// The full name of a map: the one asked for, else the record's only one.
std::string map_name(const Record& record, const std::string& wished) {
    if (!wished.empty()) return fmt::format("{}{}", tensor::control_prefix, wished);
    std::vector<std::string> names;
    for (const auto& [name, bytes] : record.tensors)
        if (name.starts_with(tensor::control_prefix)) names.push_back(name);
    if (names.size() == 1) return names.front();
    throw Error(ExitCode::data, record.place, fmt::format("has {} control maps, so that the one to follow must be named", names.size()),
                names.empty() ? encode_map : "write MAP=DIR");
}

/// The map as [1,3,H,W] in 0..1.
at::Tensor map_of(const Record& record, const std::string& wished, std::int64_t width, std::int64_t height) {
    const std::string name = map_name(record, wished), what = fmt::format("{}: {}", record.place, name);
    const TensorBytes& bytes = record.tensor(name, encode_map);
    const bool grey = bytes.shape.size() == 3 && bytes.shape[0] == 1;
    const at::Tensor stored = to_torch(bytes);
    expect_shape(stored, {grey ? 1 : map_channels, height, width}, what);
    const at::Tensor map = bytes.dtype == Dtype::U8 ? stored.to(at::kFloat) / 255 : stored.to(at::kFloat);
    expect_finite(map, what);
    return map.expand({map_channels, height, width}).unsqueeze(0);
}

/// Keys and values of the features of a record; those of no picture for the unconditional half.
std::vector<KeyValue> image_prompt_of(const ImagePromptUse& use, const Record& record, bool classifier_free) {
    const TensorBytes& bytes = record.tensor(tensor::image_features, "add them with lcm-encode image --image-encoder");
    const std::string what = fmt::format("{}: {}", record.place, tensor::image_features);
    const at::Tensor embeds = to_torch(bytes).to(at::kFloat);
    expect_shape(embeds, {-1, use.network->shape().image_width}, what);
    expect_finite(embeds, what);
    const auto tokens = [&](const at::Tensor& one) {  // the tokens of several pictures stand in a row
        const at::Tensor all = use.network->tokens(one);
        return all.reshape({1, -1, all.size(2)});
    };
    const at::Tensor seen = tokens(embeds);
    return use.network->keys_values(classifier_free ? at::cat({tokens(at::zeros_like(embeds)), seen}) : seen, use.scale);
}

/// The second half of what has two; a tensor for all or an absent one stays.
at::Tensor conditional_half(const at::Tensor& tensor, std::int64_t batch) {
    return tensor.defined() && tensor.size(0) == batch ? tensor.narrow(0, batch / 2, batch / 2) : tensor;
}

at::Tensor with_zero_half(const at::Tensor& residual) { return at::cat({at::zeros_like(residual), residual}); }

}  // namespace

bool StepWindow::holds(int step, int steps) const {
    return static_cast<double>(step) / steps >= start && static_cast<double>(step + 1) / steps <= end;
}

PictureControl::PictureControl(const ControlSet& set, const Record& record, std::int64_t width, std::int64_t height, bool classifier_free)
    : classifier_free_(classifier_free) {
    for (const ControlUse& use : set.controls) controls_.push_back({use, map_of(record, use.map, width, height)});
    for (const T2IUse& use : set.adapters) {
        std::vector<at::Tensor> states = use.network->forward(map_of(record, use.map, width, height));
        for (at::Tensor& state : states) state = state * use.scale;
        adapters_.push_back({use, std::move(states)});
    }
    if (set.image_prompt) image_prompt_ = image_prompt_of(*set.image_prompt, record, classifier_free);
}

ControlResiduals PictureControl::residuals(const BoundControl& control, const UNetInputs& inputs) const {
    const ControlNet& network = *control.use.network;
    UNetInputs seen = inputs;
    if (!network.config().unet.time_cond_proj_dim) seen.guidance = at::Tensor();  // the UNet's own affair
    const bool half = control.use.strength.guess && classifier_free_;
    if (half) {
        const std::int64_t batch = inputs.sample.size(0);
        for (at::Tensor* part : {&seen.sample, &seen.context, &seen.text_pooled, &seen.time_ids}) *part = conditional_half(*part, batch);
    }
    ControlResiduals found = network.forward(seen, control.map, control.use.strength);
    if (!half) return found;
    for (at::Tensor& residual : found.down) residual = with_zero_half(residual);
    found.middle = with_zero_half(found.middle);
    return found;
}

void PictureControl::add_to(UNetInputs& inputs, int step, int steps) const {
    inputs.image_prompt = image_prompt_;
    std::optional<ControlResiduals> sum;
    for (const BoundControl& control : controls_) {
        if (!control.use.window.holds(step, steps)) continue;
        const ControlResiduals one = residuals(control, inputs);
        if (sum)
            sum->add(one);
        else
            sum = one;
    }
    if (sum) {
        inputs.down_residuals = sum->down;
        inputs.middle_residual = sum->middle;
    }
    for (const BoundAdapter& adapter : adapters_) {
        if (!adapter.use.window.holds(step, steps)) continue;
        if (inputs.adapter_states.empty()) {
            inputs.adapter_states = adapter.states;
            continue;
        }
        for (std::size_t i = 0; i < adapter.states.size(); ++i) inputs.adapter_states[i] = inputs.adapter_states[i] + adapter.states[i];
    }
}

}  // namespace lcm
