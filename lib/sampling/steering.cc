#include "lib/sampling/steering.h"

#include <ATen/TensorOperators.h>

#include <string>
#include <utility>

#include "lib/core/tensor/convert.h"
#include "lib/sampling/prediction.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

/// The tensor of a record as a batch of one; undefined when it is not there.
at::Tensor batched(const Record& record, std::string_view name) {
    const auto found = record.tensors.find(name);
    return found == record.tensors.end() ? at::Tensor() : to_torch(found->second).unsqueeze(0);
}

void store(Record& record, std::string_view name, const at::Tensor& before, const at::Tensor& after) {
    if (!after.is_same(before)) record.tensors.insert_or_assign(std::string(name), from_torch(after.squeeze(0)));
}

/// The network's output that means the clean latent `clean`: the reverse of predict_clean.
at::Tensor output_for(PredictionType type, const at::Tensor& sample, const at::Tensor& clean, const NoiseLevel& level) {
    switch (type) {
        case PredictionType::epsilon:
            return (sample - clean * level.signal) / level.noise;
        case PredictionType::v_prediction:
            return (sample * level.signal - clean) / level.noise;
        case PredictionType::sample:
            break;
    }
    return clean;
}

}  // namespace

Record Steering::conditions(const Record& record) const {
    Record changed = record;
    for (const bool negative : {false, true}) {
        const auto context = negative ? tensor::text_negative_embeds : tensor::text_embeds;
        const auto pooled = negative ? tensor::text_negative_pooled : tensor::text_pooled;
        const AdapterConditions given{batched(record, context), batched(record, pooled), negative};
        if (!given.context.defined()) continue;
        AdapterConditions now = given;
        for (const auto& adapter : adapters_.adapters) now = adapter->conditions(std::move(now));
        store(changed, context, given.context, now.context);
        store(changed, pooled, given.pooled, now.pooled);
    }
    return changed;
}

AdapterStep Steering::at(const SamplerState& state, double timestep) const {
    return {state.step, static_cast<int>(std::ssize(sampler_.timesteps())), timestep};
}

void Steering::begin(SamplerState& state) const {
    for (const auto& adapter : adapters_.adapters) state.sample = adapter->initial(std::move(state.sample), at(state));
}

void Steering::finish(SamplerState& state) const {
    for (const auto& adapter : adapters_.adapters) state.sample = adapter->final(std::move(state.sample), at(state));
}

at::Tensor Steering::before(at::Tensor sample, const SamplerState& state, double timestep) const {
    for (const auto& adapter : adapters_.adapters) sample = adapter->before_unet(std::move(sample), at(state, timestep));
    return sample;
}

at::Tensor Steering::after(const at::Tensor& sample, at::Tensor output, const SamplerState& state, double timestep) const {
    if (adapters_.adapters.empty()) return output;
    const AdapterStep step = at(state, timestep);
    for (const auto& adapter : adapters_.adapters) output = adapter->after_unet(std::move(output), step);
    return change_clean(sample, output, step);
}

at::Tensor Steering::change_clean(const at::Tensor& sample, const at::Tensor& output, const AdapterStep& step) const {
    const NoiseLevel level = sampler_.level(step.step);
    if (level.noise == 0) return output;  // the sample is clean already: no output means another
    const at::Tensor clean = predict_clean(type_, sample, output, level);
    at::Tensor changed = clean;
    for (const auto& adapter : adapters_.adapters) changed = adapter->denoised(std::move(changed), step);
    return changed.is_same(clean) ? output : output_for(type_, sample, changed, level);
}

}  // namespace lcm
