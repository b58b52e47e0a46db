#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <doctest/doctest.h>

#include <cmath>

#include "lib/sampling/sampler.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

std::unique_ptr<Sampler> lcm_sampler(const SchedulerConfig& config, int steps) { return make_sampler("lcm", {config, steps}); }

at::Tensor latent(std::uint64_t seed) { return NoiseGenerator(seed).normal({1, 4, 4, 4}); }

/// The state after the whole of a run from `sample` with network output e = x / 2.
SamplerState run(const Sampler& sampler, const at::Tensor& sample, NoiseGenerator& noise) {
    SamplerState state{0, sample, {}};
    for (std::size_t i = 0; i < sampler.timesteps().size(); ++i)
        sampler.step(state, [](const at::Tensor& x, double) { return x * 0.5; }, noise);
    return state;
}

/// The denoised sample of one step at `timestep` with this network output.
at::Tensor denoise_once(SchedulerConfig config, std::int64_t timestep, const at::Tensor& sample, const at::Tensor& output) {
    config.timesteps = {timestep};
    SamplerState state{0, sample, {}};
    NoiseGenerator noise(0);
    lcm_sampler(config, 1)->step(state, [&](const at::Tensor&, double) { return output; }, noise);
    return state.denoised;
}

}  // namespace

TEST_CASE("noise is drawn between steps, and the last step draws none") {
    for (int steps = 1; steps <= 4; ++steps) {
        const auto sampler = lcm_sampler(SchedulerConfig(), steps);
        NoiseGenerator noise(3);
        const SamplerState state = run(*sampler, latent(1), noise);
        CHECK(state.step == steps);
        CHECK(noise.draws() == static_cast<std::uint64_t>(steps - 1));
        CHECK(at::equal(state.sample, state.denoised));
    }
}

TEST_CASE("the network sees the timesteps in order") {
    const auto sampler = lcm_sampler(SchedulerConfig(), 4);
    NoiseGenerator noise(3);
    SamplerState state{0, latent(1), {}};
    std::vector<double> seen;
    for (int i = 0; i < 4; ++i)
        sampler->step(state, [&](const at::Tensor& x, double timestep) { return seen.push_back(timestep), x; }, noise);
    CHECK(seen == std::vector<double>{999, 759, 499, 259});
    CHECK(caught([&] { sampler->step(state, [](const at::Tensor& x, double) { return x; }, noise); }).code() == ExitCode::software);
}

TEST_CASE("the boundary condition holds: at timestep 0 the sample is its own x0") {
    const at::Tensor sample = latent(1);
    CHECK(at::equal(denoise_once(SchedulerConfig(), 0, sample, latent(2)), sample));
}

TEST_CASE("the three predictions of one clean latent agree") {
    const at::Tensor clean = latent(1), noise = latent(2);
    SchedulerConfig config;
    for (const std::int64_t timestep : {19, 259, 499}) {
        const double alpha = alphas_cumprod(config)[static_cast<std::size_t>(timestep)];
        const double signal = std::sqrt(alpha), sigma = std::sqrt(1 - alpha);
        const at::Tensor sample = clean * signal + noise * sigma;
        const double skip = 0.25 / (100.0 * timestep * timestep + 0.25), out = std::sqrt(1 - skip);
        const at::Tensor want = clean * out + sample * skip;
        // f32: a handful of roundings of numbers near 4.
        const auto near = [&](const at::Tensor& got) { return at::allclose(got, want, 1e-5, 1e-5); };
        config.prediction_type = PredictionType::epsilon;
        CHECK(near(denoise_once(config, timestep, sample, noise)));
        config.prediction_type = PredictionType::v_prediction;
        CHECK(near(denoise_once(config, timestep, sample, noise * signal - clean * sigma)));
        config.prediction_type = PredictionType::sample;
        CHECK(near(denoise_once(config, timestep, sample, clean)));
    }
}

TEST_CASE("clipping and thresholding limit x0, and thresholding wins") {
    SchedulerConfig config;
    config.prediction_type = PredictionType::sample;
    const at::Tensor output = at::tensor({-8.0F, -1.0F, 2.0F, 4.0F}).view({1, 1, 2, 2}), sample = at::zeros_like(output);
    const float out = 9990.0F / std::sqrt(9990.0F * 9990.0F + 0.25F);
    config.clip_sample = true;
    config.clip_sample_range = 3;
    CHECK(at::equal(denoise_once(config, 999, sample, output), at::tensor({-3.0F, -1.0F, 2.0F, 3.0F}).view({1, 1, 2, 2}) * out));
    config.thresholding = true;
    config.dynamic_thresholding_ratio = 1.0;  // the quantile is then the largest, 8, cut to 4
    config.sample_max_value = 4;
    CHECK(at::equal(denoise_once(config, 999, sample, output), at::tensor({-1.0F, -0.25F, 0.5F, 1.0F}).view({1, 1, 2, 2}) * out));
}

TEST_CASE("epsilon prediction is refused where zero-SNR betas leave no signal") {
    SchedulerConfig config;
    config.rescale_betas_zero_snr = true;
    check_error(ExitCode::data, {"epsilon", "999"}, [&] { lcm_sampler(config, 4); });
    config.timesteps = {979};
    lcm_sampler(config, 1);
    config.timesteps.clear();
    config.prediction_type = PredictionType::v_prediction;
    CHECK(lcm_sampler(config, 4)->timesteps().front() == 999);
}
