#include "lib/sampling/sampler.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <set>

#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

at::Tensor half(const at::Tensor& x, double) { return x * 0.5; }

/// A plan of six steps that every sampler takes, with the settings of its class.
SamplerPlan plan_for(const SamplerKind& kind) {
    SamplerPlan plan{{}, 6, {}, kind.takes_eta ? 0.5 : 0};
    kind.set_defaults(plan.config);
    plan.config.clip_sample = false;
    plan.config.skip_prk_steps = true;
    return plan;
}

void for_every_sampler(const std::function<void(const SamplerKind&)>& check) {
    for (const SamplerKind* kind : sampler_kinds()) {
        CAPTURE(kind->name);
        check(*kind);
    }
}

}  // namespace

TEST_CASE("samplers are found by name, and near misses are named") {
    CHECK(make_sampler("lcm", {{}, 2})->timesteps() == std::vector<double>{999, 499});
    std::set<std::string_view> names;
    for_every_sampler([&](const SamplerKind& kind) { CHECK(names.insert(kind.name).second); });
    CHECK(names.size() == 9);
    check_error(
        ExitCode::data, {"lcm.sampler", "warp", "dpm++2m"},
        [] {
            make_sampler("warp", {{}, 2});
        });
    check_error(ExitCode::usage, {"--sampler", "eulr", "euler"}, [] { sampler_kind("eulr", ExitCode::usage, "--sampler"); });
}

TEST_CASE("every sampler keeps the memory that it names, and draws what it tells") {
    for_every_sampler([](const SamplerKind& kind) {
        for (const bool runge_kutta : {false, true}) {
            SamplerPlan plan = plan_for(kind);
            plan.config.skip_prk_steps = !runge_kutta;
            plan.config.solver_order = 3;
            const auto sampler = make_sampler(kind.name, plan);
            NoiseGenerator noise(3);
            SamplerState state{0, NoiseGenerator(1).normal({1, 4, 4, 4}), {}};
            const int steps = static_cast<int>(sampler->timesteps().size());
            for (int step = 0; step < steps; ++step) {
                CAPTURE(step);
                const std::uint64_t before = noise.draws();
                sampler->step(state, half, noise);
                CHECK(noise.draws() - before == static_cast<std::uint64_t>(sampler->facts(step).draws));
                CHECK(state.denoised.sizes() == state.sample.sizes());
                if (step + 1 == steps) continue;
                const auto names = sampler->memory(step + 1);
                std::set<std::string> kept;
                for (const auto& [name, tensor] : state.memory) kept.insert(name);
                CHECK(kept == std::set<std::string>(names.begin(), names.end()));
            }
            CHECK(caught([&] { sampler->step(state, half, noise); }).code() == ExitCode::software);
        }
    });
}

TEST_CASE("a network that knows the answer leads every sampler to it") {
    const at::Tensor clean = NoiseGenerator(7).normal({1, 4, 4, 4}) * 0.5;
    for_every_sampler([&](const SamplerKind& kind) {
        SamplerPlan plan = plan_for(kind);
        plan.config.set_alpha_to_one = true;
        const auto sampler = make_sampler(kind.name, plan);
        NoiseGenerator noise(3);
        SamplerState state{0, noise.normal(clean.sizes()) * sampler->start_scale(), {}};
        // The noise in the sample, if `clean` is what lies under it.
        const auto oracle = [&](const at::Tensor& x, double timestep) {
            const float alpha = alphas_cumprod(plan.config)[static_cast<std::size_t>(std::lround(timestep))];
            return (x - clean * std::sqrt(alpha)) / std::sqrt(1 - alpha);
        };
        for (std::size_t i = 0; i < sampler->timesteps().size(); ++i) sampler->step(state, oracle, noise);
        // Fractional timesteps are asked of their neighbour; TCD ends at alpha-bar of timestep 0, where 3 % of the noise is left.
        const double allowed = kind.name == "tcd" ? 0.2 : 0.05;
        CHECK((state.sample - clean).abs().max().item<double>() < allowed);
    });
}

TEST_CASE("strength keeps the last steps of the whole schedule") {
    for_every_sampler([](const SamplerKind& kind) {
        SamplerPlan plan = plan_for(kind);
        const auto whole = make_sampler(kind.name, plan)->timesteps();
        plan.strength = {Strength::Rule::cut, 0.5};
        const auto kept = make_sampler(kind.name, plan)->timesteps();
        CHECK(kept == std::vector<double>(whole.begin() + 3, whole.end()));
        plan.strength.rule = Strength::Rule::lcm;
        if (!kind.takes_lcm_strength)
            check_error(
                ExitCode::usage, {"lcm", kind.name, "cut"}, [&] { make_sampler(kind.name, plan); });
        plan.strength = {Strength::Rule::cut, 0.1};
        check_error(
            ExitCode::usage, {"none of the 6 steps"}, [&] { make_sampler(kind.name, plan); });
    });
}

TEST_CASE("plans that no sampler can follow are refused") {
    const auto refused = [](ExitCode code, const char* name, std::initializer_list<std::string_view> words, const auto& change) {
        SamplerPlan plan = plan_for(sampler_kind(name, ExitCode::data, "name"));
        change(plan);
        check_error(
            code, words, [&] { make_sampler(name, plan); });
    };
    refused(
        ExitCode::usage, "euler", {"eta", "euler"}, [](SamplerPlan& p) { p.eta = 0.5; });
    refused(
        ExitCode::usage, "ddim", {"eta", "0..1"}, [](SamplerPlan& p) { p.eta = 1.5; });
    refused(
        ExitCode::usage, "ddim", {"1001", "1000"}, [](SamplerPlan& p) { p.steps = 1001; });
    refused(ExitCode::usage, "unipc", {"1000", "999"}, [](SamplerPlan& p) { p.steps = 1000; });
    refused(ExitCode::usage, "ddim", {"1000", "offset of 1"}, [](SamplerPlan& p) {
        p.steps = 1000;
        p.config.steps_offset = 1;
    });
    refused(ExitCode::usage, "euler", {"custom timesteps", "sigmas"}, [](SamplerPlan& p) {
        p.steps = 2;
        p.config.timesteps = {999, 499};
        p.config.sigma_spacing = SigmaSpacing::karras;
    });
    refused(
        ExitCode::usage, "euler", {"custom sigmas", "descend"},
        [](SamplerPlan& p) {
            p.steps = 2;
            p.config.sigmas = {1, 2, 0};
        });
    refused(ExitCode::usage, "euler", {"custom sigmas", "one more"}, [](SamplerPlan& p) { p.config.sigmas = {2, 1}; });
    refused(
        ExitCode::usage, "pndm", {"custom timesteps"},
        [](SamplerPlan& p) {
            p.steps = 1;
            p.config.timesteps = {999};
        });
    refused(ExitCode::data, "pndm", {"predicts the sample"}, [](SamplerPlan& p) { p.config.prediction_type = PredictionType::sample; });
    refused(ExitCode::usage, "pndm", {"Runge-Kutta", "4"}, [](SamplerPlan& p) {
        p.steps = 3;
        p.config.skip_prk_steps = false;
    });
    refused(
        ExitCode::usage, "pndm", {"Runge-Kutta", "strength"},
        [](SamplerPlan& p) {
            p.config.skip_prk_steps = false;
            p.strength = {Strength::Rule::cut, 0.5};
        });
    refused(ExitCode::data, "unipc", {"lower_order_final", "sigma_min"}, [](SamplerPlan& p) { p.config.lower_order_final = false; });
}

TEST_CASE("start noise is scaled as other programs do") {
    SamplerPlan plan = plan_for(sampler_kind("euler", ExitCode::data, "name"));
    const double sigma = std::sqrt((1 - alphas_cumprod(plan.config).back()) / alphas_cumprod(plan.config).back());
    const double lower = sigma / std::sqrt(sigma * sigma + 1);
    CHECK(make_sampler("euler", plan)->start_scale() == doctest::Approx(lower).epsilon(1e-6));  // linspace
    plan.config.start_noise = StartNoise::unit_variance;
    CHECK(make_sampler("euler", plan)->start_scale() == 1);
    plan.config.start_noise = StartNoise::sigma_max;
    for (const char* name : {"euler", "ddim"}) {
        plan.config.timestep_spacing = TimestepSpacing::trailing;
        CHECK(make_sampler(name, plan)->start_scale() == doctest::Approx(lower).epsilon(1e-6));
    }
    CHECK(lower == doctest::Approx(0.99767).epsilon(1e-5));
}

TEST_CASE("every step asks the network once, for its sample at its timestep") {
    for_every_sampler([](const SamplerKind& kind) {
        const auto sampler = kind.make(plan_for(kind));
        NoiseGenerator noise(3);
        SamplerState state{0, noise.normal({1, 4, 2, 3}), {}};
        const auto steps = static_cast<int>(sampler->timesteps().size());
        while (state.step < steps) {
            const at::Tensor sample = state.sample.clone();
            const double timestep = sampler->timesteps()[static_cast<std::size_t>(state.step)];
            const auto draws = noise.draws();
            int asked = 0;
            sampler->step(
                state,
                [&](const at::Tensor& given, double at) {
                    ++asked;
                    CHECK(at::equal(given, sample));
                    CHECK(at == timestep);
                    CHECK(noise.draws() == draws);
                    return half(given, at);
                },
                noise);
            CHECK(asked == 1);
        }
    });
}
