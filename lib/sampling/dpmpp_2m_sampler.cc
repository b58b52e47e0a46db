#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/sampling/history.h"
#include "lib/sampling/sigma_sampler.h"

namespace lcm {
namespace {

/// Half the logarithm of the signal-to-noise ratio; infinite without noise.
double lambda(double sigma) { return -std::log(sigma); }

/// DPM-Solver++ (Lu 2022, algorithm 2), multistep, on x0; with `stochastic` its SDE variant, which draws at every step.
/// With h = lambda_next - lambda and k = h, or 2h for the SDE: x = s_next/s e^(h-k) x + A D0 + B D1 - C D2, A = alpha (1 - e^-k).
/// The first step, and near the end of short runs the last ones, take a lower order.
class DpmSolverSampler : public SigmaSampler {
public:
    explicit DpmSolverSampler(const SamplerPlan& plan)
        : SigmaSampler(plan, {.spacing = SpacingRule::inner, .own_range = false, .rounding = TimestepRounding::karras}) {}

    std::vector<std::string> memory(int done) const override { return history_names(std::min(done, config().solver_order - 1)); }

    StepFacts facts(int step) const override {
        StepFacts facts = Sampler::facts(step);
        facts.draws = config().stochastic ? 1 : 0;
        facts.more = {{"order", order(step)}};
        return facts;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const override {
        const at::Tensor output = network(state.sample, timestep(state.step));
        state.denoised = limit_thresholded(predict_clean(config().prediction_type, state.sample, output, level(state.step)));
        std::vector<at::Tensor> outputs = history_of(state);
        outputs.push_back(state.denoised);
        state.sample = update(state, outputs);
        if (config().stochastic) {
            const double spread = level(state.step + 1).noise * std::sqrt(1 - std::exp(-2 * h(state.step)));
            state.sample = state.sample + noise.normal(state.sample.sizes()) * spread;
        }
        remember(state, state.denoised, config().solver_order - 1);
    }

private:
    at::Tensor limit_thresholded(const at::Tensor& clean) const {  // this solver never clips
        return config().thresholding ? limit_clean(clean, config()) : clean;
    }

    double h(int step) const { return lambda(sigma(step + 1)) - lambda(sigma(step)); }

    int order(int step) const {
        constexpr int short_run = 15;
        const int left = schedule_length() - index(step);
        const bool careful = config().lower_order_final && schedule_length() < short_run;
        if (left == 1 && (config().euler_at_final || careful || sigmas().back() == 0)) return 1;
        const int most = left == 2 && careful ? 2 : 3;
        return std::min({config().solver_order, step + 1, most});
    }

    at::Tensor update(const SamplerState& state, const std::vector<at::Tensor>& x0) const {
        const int step = state.step, order = this->order(step);
        const double h = this->h(step), k = config().stochastic ? 2 * h : h;
        const NoiseLevel here = level(step), next = level(step + 1);
        const double a = next.signal * -std::expm1(-k);
        const at::Tensor& newest = x0.back();
        const double damped = config().stochastic ? std::exp(-h) : 1;
        at::Tensor sample = state.sample * (next.noise / here.noise * damped) + newest * a;
        if (order == 1) return sample;
        const double slope = next.signal * (std::expm1(-k) / k + 1);
        const double r0 = this->h(step - 1) / h;
        const at::Tensor first = (newest - x0[x0.size() - 2]) / r0;
        if (order == 2) return sample + first * (config().solver_type == SolverType::heun ? slope : a / 2);
        const double r1 = this->h(step - 2) / h;
        const at::Tensor second = (first - (x0[x0.size() - 2] - x0[x0.size() - 3]) / r1) / (r0 + r1);
        // The SDE variant has the half with the other sign in the reference.
        const double half = config().stochastic ? 0.5 : -0.5;
        return sample + (first + second * r0) * slope - second * (next.signal * ((std::expm1(-k) + k) / (k * k) + half));
    }
};

constexpr std::array<std::string_view, 15> settings{"timestep_spacing",  "steps_offset",
                                                    "use_karras_sigmas", "use_exponential_sigmas",
                                                    "use_beta_sigmas",   "use_lu_lambdas",
                                                    "final_sigmas_type", "solver_order",
                                                    "solver_type",       "algorithm_type",
                                                    "euler_at_final",    "lower_order_final",
                                                    "thresholding",      "dynamic_thresholding_ratio",
                                                    "sample_max_value"};

}  // namespace

extern const SamplerKind dpmpp_2m_kind{
    .name = "dpm++2m",
    .class_name = "DPMSolverMultistepScheduler",
    .settings = settings,
    .takes_eta = false,
    .takes_lcm_strength = false,
    .set_defaults = [](SchedulerConfig& config) { config.timestep_spacing = TimestepSpacing::linspace; },
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<DpmSolverSampler>(plan); }};

}  // namespace lcm
