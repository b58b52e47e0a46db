#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/lcm_sampler.h"
#include "lib/sampling/schedule.h"
#include "tests/golden/golden_case.h"

using namespace lcm;

namespace {

/// The toy network of the scheduler cases.
at::Tensor toy(const at::Tensor& sample, std::int64_t timestep) {
    const auto t = static_cast<double>(timestep);
    return sample * t / (t + 1);
}

SchedulerConfig config_of(const golden::Case& one) {
    SchedulerConfig config = SchedulerConfig::from_json(one.args().at("config"));
    const Json* options = one.args().find("set_kw");
    if (!options) return config;
    config.original_inference_steps = static_cast<int>(options->get("original_inference_steps", std::int64_t{50}));
    if (const Json* list = options->find("timesteps"))
        for (const Json& timestep : list->as_array()) config.timesteps.push_back(timestep.as_integer());
    return config;
}

Strength strength_of(const golden::Case& one) {
    const Json* pair = one.args().find("strength");
    if (!pair) return {};
    const Json::Array& values = pair->as_array();
    return {values[0].as_string() == "cut" ? Strength::Rule::cut : Strength::Rule::lcm, values[1].as_number()};
}

golden::Results run(const golden::Case& one) {
    golden::Results results;
    const LcmSampler sampler(config_of(one), static_cast<int>(one.args().at("steps").as_integer()), strength_of(one));
    NoiseGenerator noise(static_cast<std::uint64_t>(one.args().at("seed").as_integer()));
    SamplerState state;
    state.sample = one.input("sample");
    if (one.args().find("strength")) {
        state.sample = sampler.add_noise(state.sample, noise.normal(state.sample.sizes()), sampler.timesteps().front());
        results["noised"] = state.sample;
    }
    std::vector<at::Tensor> trajectory;
    for (std::size_t i = 0; i < sampler.timesteps().size(); ++i) {
        sampler.step(state, toy, noise);
        trajectory.push_back(state.sample);
    }
    results["traj"] = at::stack(trajectory);
    results["denoised"] = state.denoised;
    results["timesteps"] = at::tensor(sampler.timesteps(), at::TensorOptions().dtype(at::kDouble));
    // Start noise goes in as it was drawn: this only holds while the reference's factor is 1.
    results["init_noise_sigma"] = at::full({}, 1.0, at::TensorOptions().dtype(at::kDouble));
    return results;
}

golden::Results curves(const golden::Case& one) {
    const SchedulerConfig config = SchedulerConfig::from_json(one.args().at("config"));
    return {{"betas", at::tensor(betas(config))}, {"alphas_cumprod", at::tensor(alphas_cumprod(config))}};
}

}  // namespace

TEST_CASE("schedules and steps equal the reference's") {
    golden::check_group("scheduler", [](const golden::Case& one) { return one.args().find("steps") ? run(one) : curves(one); });
}
