#include "lib/core/model/unet_recorder.h"

#include <ATen/TensorOperators.h>

namespace lcm {

namespace {

constexpr std::size_t most_shapes = 8;  // each keeps the memory of an evaluation

/// All tensors that an evaluation reads, in one order.
std::vector<at::Tensor*> all_of(UNetInputs& inputs, TimeFeatures& time) {
    std::vector<at::Tensor*> tensors = tensors_of(inputs);
    tensors.insert(tensors.end(), {&time.time, &time.guidance, &time.sizes});
    return tensors;
}

}  // namespace

UNetRecorder::Shapes UNetRecorder::shapes_of(const UNetInputs& inputs, const TimeFeatures& time) {
    UNetInputs all = inputs;
    TimeFeatures features = time;
    Shapes shapes{{std::ssize(inputs.down_residuals), std::ssize(inputs.adapter_states), std::ssize(inputs.image_prompt)}};
    for (const at::Tensor* tensor : all_of(all, features)) shapes.push_back(tensor->defined() ? tensor->sizes().vec() : std::vector{-1L});
    return shapes;
}

void UNetRecorder::record(Recorded& place, const UNetInputs& inputs, const TimeFeatures& time, const Forward& forward) {
    place.inputs = inputs;
    place.inputs.context_cache = nullptr;  // keys and values must follow the context that is copied in
    place.time = time;
    for (at::Tensor* tensor : all_of(place.inputs, place.time))
        if (tensor->defined()) *tensor = tensor->clone();
    place.graph = record_graph(inputs.sample.device(), [&] { place.outputs = forward(place.inputs, place.time); });
}

UNetOutputs UNetRecorder::operator()(const UNetInputs& inputs, const TimeFeatures& time, const Forward& forward) {
    if (recorded_.size() >= most_shapes) recorded_.clear();
    const auto [found, is_new] = recorded_.try_emplace(shapes_of(inputs, time));
    if (is_new) return forward(inputs, time);
    Recorded& place = found->second;
    if (!place.graph) record(place, inputs, time, forward);
    UNetInputs given = inputs;
    TimeFeatures features = time;
    const std::vector<at::Tensor*> from = all_of(given, features), to = all_of(place.inputs, place.time);
    for (std::size_t i = 0; i < to.size(); ++i)
        if (to[i]->defined()) to[i]->copy_(*from[i]);
    place.graph->replay();
    return {place.outputs.sample.clone(), place.outputs.deep.clone()};
}

}  // namespace lcm
