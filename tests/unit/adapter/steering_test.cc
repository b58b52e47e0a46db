#include "lib/sampling/steering.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <doctest/doctest.h>

#include "lib/core/tensor/convert.h"
#include "lib/sampling/prediction.h"
#include "lib/stream/keys.h"

using namespace lcm;

namespace {

/// Changes each place by another number, so that one can tell which was called.
struct EveryPlace : BaseAdapter {
    at::Tensor initial(at::Tensor latent, const AdapterStep&) const override { return latent + 1; }
    at::Tensor before_unet(at::Tensor sample, const AdapterStep&) const override { return sample * 2; }
    at::Tensor after_unet(at::Tensor output, const AdapterStep& step) const override { return output + step.timestep; }
    at::Tensor final(at::Tensor latent, const AdapterStep& step) const override { return latent - step.steps; }
    AdapterConditions conditions(AdapterConditions given) const override {
        given.context = given.context * (given.negative ? 3 : 2);
        return given;
    }
};

struct HalfClean : BaseAdapter {
    at::Tensor denoised(at::Tensor clean, const AdapterStep&) const override { return clean * 0.5; }
};

at::Tensor latent(double value) { return at::full({1, 4, 2, 2}, value, at::kFloat); }

SamplerPlan plan_for(PredictionType type) {
    SamplerPlan plan;
    plan.config.prediction_type = type;
    plan.steps = 2;
    return plan;
}

/// What the sampler gets for a latent of ones.
at::Tensor output_of(const Steering& steering, const DenoiseFunction& network, const SamplerState& state, double timestep) {
    return steering.after(latent(1), network(steering.before(latent(1), state, timestep), timestep), state, timestep);
}

const DenoiseFunction tenth = [](const at::Tensor& sample, double) { return sample * 0.1; };

}  // namespace

TEST_CASE("an adapter may change the start, the network's input and output, and the result") {
    const auto sampler = make_sampler("lcm", plan_for(PredictionType::epsilon));
    AdapterSet set;
    set.adapters = {std::make_shared<EveryPlace>()};
    const Steering steering(set, *sampler, PredictionType::epsilon);
    SamplerState state{0, latent(5), {}};
    steering.begin(state);
    CHECK(at::allclose(state.sample, latent(6)));
    CHECK(at::allclose(output_of(steering, tenth, state, 7), latent(0.2 + 7)));
    steering.finish(state);
    CHECK(at::allclose(state.sample, latent(4)));
}

TEST_CASE("the clean latent that a network's output means may be changed, whatever the network predicts") {
    AdapterSet set;
    set.adapters = {std::make_shared<HalfClean>()};
    for (const PredictionType type : {PredictionType::epsilon, PredictionType::v_prediction, PredictionType::sample}) {
        const auto sampler = make_sampler("lcm", plan_for(type));
        const Steering steering(set, *sampler, type);
        const SamplerState state{1, latent(1), {}};
        const NoiseLevel level = sampler->level(1);
        const at::Tensor plain = predict_clean(type, latent(1), tenth(latent(1), 0), level);
        const at::Tensor steered = predict_clean(type, latent(1), output_of(steering, tenth, state, 0), level);
        CHECK(at::allclose(steered, plain * 0.5, 1e-4, 1e-5));
    }
}

TEST_CASE("conditions are changed for the run, those of the negative prompt apart") {
    const auto sampler = make_sampler("lcm", plan_for(PredictionType::epsilon));
    AdapterSet set;
    set.adapters = {std::make_shared<EveryPlace>()};
    Record record;
    record.tensors.emplace(tensor::text_embeds, from_torch(at::full({3, 2}, 1.0, at::kFloat)));
    record.tensors.emplace(tensor::text_negative_embeds, from_torch(at::full({3, 2}, 1.0, at::kFloat)));
    const Record changed = Steering(set, *sampler, PredictionType::epsilon).conditions(record);
    CHECK(at::allclose(to_torch(changed.tensor(tensor::text_embeds)), at::full({3, 2}, 2.0, at::kFloat)));
    CHECK(at::allclose(to_torch(changed.tensor(tensor::text_negative_embeds)), at::full({3, 2}, 3.0, at::kFloat)));
    CHECK(at::allclose(to_torch(record.tensor(tensor::text_embeds)), at::full({3, 2}, 1.0, at::kFloat)));
}

TEST_CASE("adapters that override nothing leave every tensor itself") {
    const auto sampler = make_sampler("lcm", plan_for(PredictionType::epsilon));
    struct Nothing : BaseAdapter {};
    AdapterSet set;
    set.adapters = {std::make_shared<Nothing>()};
    const Steering steering(set, *sampler, PredictionType::epsilon);
    const SamplerState state{0, latent(1), {}};
    const at::Tensor output = latent(2);
    CHECK(output_of(steering, [&](const at::Tensor&, double) { return output; }, state, 1).is_same(output));
}
