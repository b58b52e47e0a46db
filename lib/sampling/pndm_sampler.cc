#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/base/error.h"
#include "lib/sampling/alpha_sampler.h"
#include "lib/sampling/history.h"
#include "lib/sampling/spacing.h"

namespace lcm {
namespace {

constexpr int runge_kutta_calls = 12;  // three steps of four calls
constexpr int kept_outputs = 3;
constexpr const char* base_sample = "sample";  // of the step that the calls belong to
constexpr const char* weighted_sum = "sum";    // of the Runge-Kutta outputs so far

/// Timesteps in the order of the calls, as in diffusers' PNDMScheduler: the second one twice (PLMS begins with two calls), or, with
/// Runge-Kutta, four calls for each of the three highest and then the rest.
std::vector<double> call_timesteps(const SchedulerConfig& config, int steps) {
    std::vector<double> timesteps = spaced_timesteps(config, steps, SpacingRule::whole);
    if (config.skip_prk_steps) {
        if (steps > 1) timesteps.insert(timesteps.begin() + 1, timesteps[1]);
        return timesteps;
    }
    constexpr int runge_kutta_steps = 3;
    const int half = config.num_train_timesteps / steps / 2;
    std::vector<double> calls;
    for (int i = 0; i < runge_kutta_steps; ++i) {
        const double here = timesteps[static_cast<std::size_t>(i)], next = timesteps[static_cast<std::size_t>(i) + 1];
        calls.insert(calls.end(), {here, next + half, next + half, next});
    }
    calls.insert(calls.end(), timesteps.begin() + runge_kutta_steps, timesteps.end());
    return calls;
}

/// Pseudo numerical methods (Liu 2022): the outputs of up to four steps are combined as in the Adams-Bashforth method (PLMS), then a step
/// of eq. 11. With `skip_prk_steps` off the first three steps are Runge-Kutta of fourth order, four calls each.
class PndmSampler : public AlphaSampler {
public:
    explicit PndmSampler(const SamplerPlan& plan)
        : AlphaSampler(checked(plan), call_timesteps(plan.config, plan.steps), first_of_cut(plan)) {}

    std::vector<std::string> memory(int done) const override {
        const bool runge_kutta = in_runge_kutta(done) && done % 4 != 0;
        const int outputs = config().skip_prk_steps ? (done < 2 ? done : done - 1) : (done + 3) / 4;
        std::vector<std::string> names = history_names(std::min(outputs, kept_outputs));
        if (runge_kutta) names.emplace_back(weighted_sum);
        if (runge_kutta || (config().skip_prk_steps && done == 1)) names.emplace_back(base_sample);
        return names;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& /*noise*/) const override {
        const at::Tensor output = network(state.sample, timestep(state.step));
        state.denoised = predict_clean(config().prediction_type, state.sample, output, level(state.step));
        if (in_runge_kutta(state.step))
            runge_kutta(state, output);
        else
            linear_multistep(state, output);
    }

private:
    static const SamplerPlan& checked(const SamplerPlan& plan) {
        const auto refuse = [](const char* what, const char* fix) { throw Error(ExitCode::usage, "pndm", what, fix); };
        if (!plan.config.timesteps.empty()) refuse("takes no custom timesteps", "leave them out, or take another sampler");
        if (plan.config.prediction_type == PredictionType::sample)
            throw Error(ExitCode::data, "pndm", "cannot run a model that predicts the sample", "take another sampler, such as ddim");
        if (plan.config.skip_prk_steps) return plan;
        if (plan.steps <= kept_outputs) refuse("begins with Runge-Kutta steps and needs 4 or more", "raise the steps");
        if (plan.strength.value < 1) refuse("begins with Runge-Kutta steps, which strength would cut", "take another sampler");
        return plan;
    }

    bool in_runge_kutta(int call) const { return !config().skip_prk_steps && call < runge_kutta_calls; }
    std::int64_t stride() const { return config().num_train_timesteps / plan().steps; }

    void runge_kutta(SamplerState& state, at::Tensor output) const {
        const int call = state.step;
        const std::int64_t after = whole_timestep(call) - (call % 2 == 0 ? stride() / 2 : 0);
        if (call % 4 == 0) {
            remember(state, output, kept_outputs);
            state.memory[base_sample] = state.sample;
            state.memory[weighted_sum] = output * (1.0 / 6);
        } else if (call % 4 < 3) {
            state.memory[weighted_sum] = state.memory[weighted_sum] + output * (1.0 / 3);
        } else {
            output = state.memory[weighted_sum] + output * (1.0 / 6);
            state.memory.erase(weighted_sum);
        }
        state.sample = transfer(state.memory[base_sample], output, whole_timestep(call / 4 * 4), after);
        if (call % 4 == 3) state.memory.erase(base_sample);
    }

    void linear_multistep(SamplerState& state, const at::Tensor& output) const {
        const std::int64_t here = whole_timestep(state.step);
        std::vector<at::Tensor> outputs = history_of(state);
        if (state.step == 1) {  // the second call goes the first step again, with the mean of both outputs
            const at::Tensor base = state.memory[base_sample];
            state.memory.erase(base_sample);
            state.sample = transfer(base, (output + outputs.back()) / 2, here + stride(), here);
            return;
        }
        outputs.push_back(output);
        const at::Tensor combined = combine(outputs);
        const at::Tensor base = state.sample;
        state.sample = transfer(base, combined, here, here - stride());
        remember(state, output, kept_outputs);
        if (state.step == 0) state.memory[base_sample] = base;
    }

    /// Adams-Bashforth of the newest one to four outputs.
    static at::Tensor combine(const std::vector<at::Tensor>& e) {
        const std::size_t n = e.size();
        switch (n) {
            case 1:
                return e[0];
            case 2:
                return (e[1] * 3 - e[0]) / 2;
            case 3:
                return (e[2] * 23 - e[1] * 16 + e[0] * 5) / 12;
            default:
                return (e[n - 1] * 55 - e[n - 2] * 59 + e[n - 3] * 37 - e[n - 4] * 9) * (1.0 / 24);
        }
    }

    /// Eq. 11: from timestep `from` down to `to`.
    at::Tensor transfer(const at::Tensor& sample, const at::Tensor& output, std::int64_t from, std::int64_t to) const {
        const double a = alpha(from), after = alpha_or_final(to);
        const at::Tensor noise = predict_noise(config().prediction_type, sample, output, level_of_alpha(alpha(from)));
        const double divisor = a * std::sqrt(1 - after) + std::sqrt(a * (1 - a) * after);
        return sample * std::sqrt(after / a) - noise * ((after - a) / divisor);
    }
};

constexpr std::array<std::string_view, 4> settings{"timestep_spacing", "steps_offset", "set_alpha_to_one", "skip_prk_steps"};

}  // namespace

extern const SamplerKind pndm_kind{
    .name = "pndm",
    .class_name = "PNDMScheduler",
    .settings = settings,
    .takes_eta = false,
    .takes_lcm_strength = false,
    .set_defaults = [](SchedulerConfig& config) { config.set_alpha_to_one = false; },
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<PndmSampler>(plan); }};

}  // namespace lcm
