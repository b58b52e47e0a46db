#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/sampling/history.h"
#include "lib/sampling/sigma_sampler.h"

namespace lcm {
namespace {

constexpr const char* last_sample = "sample";  // what the last step began with

double lambda(double sigma) { return -std::log(sigma); }

/// Solves the `n` equations `m` x = `b`, n <= 3, by Gauss-Jordan elimination.
std::vector<double> solve(std::vector<std::vector<double>> m, std::vector<double> b) {
    const std::size_t n = b.size();
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t pivot = i;
        for (std::size_t row = i + 1; row < n; ++row)
            if (std::abs(m[row][i]) > std::abs(m[pivot][i])) pivot = row;
        std::swap(m[i], m[pivot]);
        std::swap(b[i], b[pivot]);
        for (std::size_t row = 0; row < n; ++row) {
            if (row == i) continue;
            const double factor = m[row][i] / m[i][i];
            for (std::size_t column = i; column < n; ++column) m[row][column] -= factor * m[i][column];
            b[row] -= factor * b[i];
        }
    }
    for (std::size_t i = 0; i < n; ++i) b[i] /= m[i][i];
    return b;
}

/// UniPC (Zhao 2023, algorithms 5 and 8) on x0: a predictor of order p, and after the next evaluation a corrector of the step just taken.
/// Both are x = s_next/s x - alpha (e^hh - 1) m0 - alpha B(h) sum_k rho_k D_k with hh = -h, D_k = (m_k - m0) / r_k,
/// r_k = (lambda_k - lambda) / h, and the rho from R rho = b, R_jk = r_k^(j-1); B is hh (bh1) or e^hh - 1 (bh2).
class UniPcSampler : public SigmaSampler {
public:
    explicit UniPcSampler(const SamplerPlan& plan)
        : SigmaSampler(plan, {.spacing = SpacingRule::inner, .own_range = false, .rounding = TimestepRounding::always}) {
        if (config().lower_order_final || config().solver_order == 1 || sigmas().back() > 0) return;
        throw Error(ExitCode::data, "schedule", "unipc with \"lower_order_final\" off would divide by zero where the last noise level is 0",
                    "set \"final_sigmas_type\" to \"sigma_min\"");
    }

    std::vector<std::string> memory(int done) const override {
        std::vector<std::string> names = history_names(std::min(done, config().solver_order));
        if (done > 0) names.emplace_back(last_sample);
        return names;
    }

    StepFacts facts(int step) const override {
        StepFacts facts = Sampler::facts(step);
        facts.more = {{"order", order(step)}};
        return facts;
    }

protected:
    void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& /*noise*/) const override {
        const at::Tensor output = network(state.sample, timestep(state.step));
        const at::Tensor clean = predict_clean(config().prediction_type, state.sample, output, level(state.step));
        state.denoised = config().thresholding ? limit_clean(clean, config()) : clean;
        const at::Tensor sample = corrects(state.step) ? correct(state, state.denoised) : state.sample;
        remember(state, state.denoised, config().solver_order);
        state.memory[last_sample] = sample;
        state.sample = predict(state, sample);
    }

private:
    /// What predictor and corrector of one interval share.
    struct Interval {
        double keep, pull, scale;  ///< factors of the sample, of m0 and of the sum
        std::vector<double> ratios;
        std::vector<std::vector<double>> matrix;
        std::vector<double> right;
    };

    bool corrects(int step) const {
        const auto& off = config().disable_corrector;
        return step > 0 && std::find(off.begin(), off.end(), index(step) - 1) == off.end();
    }

    int order(int step) const {
        const int left = schedule_length() - index(step);
        const int most = config().lower_order_final ? std::min(config().solver_order, left) : config().solver_order;
        return std::min(most, step + 1);
    }

    /// The interval from step `step` to the next.
    Interval interval(int step) const {
        const int order = this->order(step);
        const NoiseLevel here = level(step), next = level(step + 1);
        const double h = lambda(sigma(step + 1)) - lambda(sigma(step)), hh = -h;
        const bool first_kind = config().solver_type == SolverType::bh1;
        const double b = first_kind ? hh : std::expm1(hh);
        Interval result{next.noise / here.noise, -next.signal * std::expm1(hh), -next.signal * b, {}, {}, {}};
        for (int i = 1; i < order; ++i) result.ratios.push_back((lambda(sigma(step - i)) - lambda(sigma(step))) / h);
        std::vector<double> nodes = result.ratios;
        nodes.push_back(1);
        double phi = std::expm1(hh) / hh - 1, factorial = 1;
        for (int i = 1; i <= order; ++i) {
            std::vector<double> row;
            for (const double node : nodes) row.push_back(std::pow(node, i - 1));
            result.matrix.push_back(row);
            result.right.push_back(phi * factorial / b);
            factorial *= i + 1;
            phi = phi / hh - 1 / factorial;
        }
        return result;
    }

    /// The differences D_k of outputs, of which the one before `newest` from the end is m0's predecessor.
    static at::Tensor sum(const std::vector<at::Tensor>& outputs, const Interval& interval, const std::vector<double>& rho) {
        at::Tensor total;
        const std::size_t newest = outputs.size() - 1;
        for (std::size_t k = 0; k < interval.ratios.size(); ++k) {
            const at::Tensor term = (outputs[newest - k - 1] - outputs[newest]) / interval.ratios[k] * rho[k];
            total = total.defined() ? total + term : term;
        }
        return total;
    }

    at::Tensor predict(const SamplerState& state, const at::Tensor& sample) const {
        const Interval here = interval(state.step);
        const std::vector<at::Tensor> outputs = history_of(state);
        const at::Tensor straight = sample * here.keep + outputs.back() * here.pull;
        if (here.ratios.empty()) return straight;
        std::vector<double> rho{0.5};
        if (here.ratios.size() > 1) {
            std::vector<std::vector<double>> matrix(here.matrix.begin(), here.matrix.end() - 1);
            for (auto& row : matrix) row.pop_back();
            rho = solve(matrix, {here.right.begin(), here.right.end() - 1});
        }
        return straight + sum(outputs, here, rho) * here.scale;
    }

    at::Tensor correct(const SamplerState& state, const at::Tensor& clean) const {
        const Interval last = interval(state.step - 1);
        const std::vector<at::Tensor> outputs = history_of(state);
        const std::vector<double> rho = last.ratios.empty() ? std::vector<double>{0.5} : solve(last.matrix, last.right);
        const at::Tensor straight = state.memory.find(last_sample)->second * last.keep + outputs.back() * last.pull;
        at::Tensor bend = (clean - outputs.back()) * rho.back();
        if (!last.ratios.empty()) bend = bend + sum(outputs, last, rho);
        return straight + bend * last.scale;
    }
};

constexpr std::array<std::string_view, 13> settings{
    "timestep_spacing", "steps_offset", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "final_sigmas_type",
    "solver_order",     "solver_type",  "lower_order_final", "disable_corrector",      "thresholding",    "dynamic_thresholding_ratio",
    "sample_max_value"};

}  // namespace

extern const SamplerKind unipc_kind{
    .name = "unipc",
    .class_name = "UniPCMultistepScheduler",
    .settings = settings,
    .takes_eta = false,
    .takes_lcm_strength = false,
    .set_defaults =
        [](SchedulerConfig& config) {
            config.timestep_spacing = TimestepSpacing::linspace;
            config.solver_type = SolverType::bh2;
        },
    .make = [](const SamplerPlan& plan) -> std::unique_ptr<Sampler> { return std::make_unique<UniPcSampler>(plan); }};

}  // namespace lcm
