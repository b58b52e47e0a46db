#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/sampler.h"
#include "tests/golden/golden_case.h"

using namespace lcm;

namespace {

/// The toy network of the scheduler cases.
at::Tensor toy(const at::Tensor& sample, double timestep) { return sample * timestep / (timestep + 1); }

const SamplerKind& kind_of(const golden::Case& one) {
    const std::string& name = one.args().at("class").as_string();
    for (const SamplerKind* kind : sampler_kinds())
        if (kind->class_name == name) return *kind;
    throw std::runtime_error("no sampler for " + name);
}

/// Betas are named in every case, so the class decides over the rest alone.
SchedulerConfig config_of(const golden::Case& one) {
    SchedulerConfig config = settings_for_sampler(kind_of(one), one.args().at("config"));
    const Json* options = one.args().find("set_kw");
    if (!options) return config;
    if (const Json* original = options->find("original_inference_steps")) {
        config.original_inference_steps = static_cast<int>(original->as_integer());
        config.every_timestep = kind_of(one).name == "tcd";
    }
    if (const Json* list = options->find("timesteps"))
        for (const Json& timestep : list->as_array()) config.timesteps.push_back(timestep.as_integer());
    if (const Json* list = options->find("sigmas"))
        for (const Json& sigma : list->as_array()) config.sigmas.push_back(sigma.as_number());
    return config;
}

Strength strength_of(const golden::Case& one) {
    const Json* pair = one.args().find("strength");
    if (!pair) return {};
    const Json::Array& values = pair->as_array();
    return {values[0].as_string() == "cut" ? Strength::Rule::cut : Strength::Rule::lcm, values[1].as_number()};
}

SamplerPlan plan_of(const golden::Case& one) {
    SamplerPlan plan{config_of(one), static_cast<int>(one.args().at("steps").as_integer()), strength_of(one), 0};
    if (const Json* options = one.args().find("step_kw")) plan.eta = options->get("eta", 0.0);
    return plan;
}

/// The reference's Euler samplers hold clean + sigma * normal: the factor between their sample of a level and ours.
double expansion(const golden::Case& one, const Sampler& sampler, int step) {
    if (!one.args().at("class").as_string().starts_with("Euler")) return 1;
    const std::vector<double> sigmas = sampler.sigmas();
    const double sigma = sigmas[sigmas.size() - 1 - sampler.timesteps().size() + static_cast<std::size_t>(step)];
    return std::sqrt(sigma * sigma + 1);
}

/// The reference's factor of the start noise belongs to the whole schedule, also where strength cuts it.
double init_noise_sigma(const golden::Case& one, const Sampler& sampler) {
    const bool expands = one.args().at("class").as_string().starts_with("Euler");
    return sampler.start_scale() * (expands ? std::hypot(sampler.sigmas().front(), 1.0) : 1);
}

at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::TensorOptions().dtype(at::kDouble)); }

golden::Results run(const golden::Case& one) {
    golden::Results results;
    const std::unique_ptr<Sampler> sampler = make_sampler(kind_of(one).name, plan_of(one));
    NoiseGenerator noise(static_cast<std::uint64_t>(one.args().at("seed").as_integer()));
    SamplerState state;
    state.sample = one.input("sample");
    if (one.args().find("strength")) {
        state.sample = add_noise(state.sample, noise.normal(state.sample.sizes()), sampler->level(0));
        results["noised"] = state.sample * expansion(one, *sampler, 0);
    } else {
        state.sample = state.sample * sampler->start_scale();
    }
    std::vector<at::Tensor> trajectory;
    for (std::size_t i = 0; i < sampler->timesteps().size(); ++i) {
        sampler->step(state, toy, noise);
        trajectory.push_back(state.sample * expansion(one, *sampler, state.step));
    }
    results["traj"] = at::stack(trajectory);
    results["timesteps"] = doubles(sampler->timesteps());
    results["init_noise_sigma"] = at::full({}, init_noise_sigma(one, *sampler), at::TensorOptions().dtype(at::kDouble));
    if (one.outputs().contains("denoised")) results["denoised"] = state.denoised;
    if (!sampler->sigmas().empty()) results["sigmas"] = doubles(sampler->sigmas());
    return results;
}

golden::Results curves(const golden::Case& one) {
    const SchedulerConfig config = settings_for_sampler(sampler_kind("ddim", ExitCode::data, "class"), one.args().at("config"));
    return {{"betas", at::tensor(betas(config))}, {"alphas_cumprod", at::tensor(alphas_cumprod(config))}};
}

}  // namespace

TEST_CASE("schedules and steps equal the reference's") {
    golden::check_group("scheduler", [](const golden::Case& one) { return one.args().find("steps") ? run(one) : curves(one); });
}
