#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/core/tensor/noise.h"
#include "lib/sampling/prediction.h"
#include "lib/sampling/schedule.h"
#include "lib/sampling/scheduler_config.h"

namespace lcm {

/// The guided network: its output [B,C,H,W] for `sample` [B,C,H,W] at `timestep`, which may be fractional.
using DenoiseFunction = std::function<at::Tensor(const at::Tensor& sample, double timestep)>;

/// Where a run stands: what a sampler changes, and what a record saves in mid-trajectory together with the noise generator.
struct SamplerState {
    int step = 0;                                                ///< steps done
    at::Tensor sample;                                           ///< [B,C,H,W], sqrt(a) clean + sqrt(1-a) normal
    at::Tensor denoised;                                         ///< x0 estimate of the last step, [B,C,H,W]; undefined before the first
    std::map<std::string, at::Tensor, std::less<>> memory = {};  ///< what later steps need of earlier ones (`sched.NAME`), each [B,C,H,W]
};

/// What fixes the steps of a run.
struct SamplerPlan {
    SchedulerConfig config;
    int steps = 0;  ///< of the whole schedule
    Strength strength = {};
    double eta = 0;  ///< share of fresh noise, of samplers that take one
};

/// One step in numbers, for explanation.
struct StepFacts {
    double timestep = 0, alpha = 0, sigma = 0;                   ///< alpha-bar, and sqrt((1-alpha)/alpha)
    int draws = 0;                                               ///< full-size draws of noise
    std::vector<std::pair<std::string_view, double>> more = {};  ///< the sampler's own numbers by name
};

/// A way from noise to latents: a state machine over a denoise function, without any state of its own.
///
/// Every step asks the network once, before anything else, for `state.sample` at its timestep: what it will ask is known beforehand.
class Sampler {
public:
    virtual ~Sampler() = default;

    /// Timesteps the network sees, one a step; their number is the number of steps that run.
    const std::vector<double>& timesteps() const { return timesteps_; }

    /// Noise levels of the whole schedule and the one after it; empty for samplers that have none of their own.
    virtual std::vector<double> sigmas() const { return {}; }

    /// The level of the sample that step `step` of those that run begins with.
    virtual NoiseLevel level(int step) const = 0;

    /// What standard normal noise is multiplied by to start from; near 1.
    virtual double start_scale() const = 0;

    /// Takes step `state.step`, and draws from `noise` what the step needs. @throws Error(software) past the last step
    void step(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const;

    /// Names in `SamplerState::memory` after `done` steps, before the last of them.
    virtual std::vector<std::string> memory(int /*done*/) const { return {}; }

    virtual StepFacts facts(int step) const;

protected:
    /// Keeps the timesteps from `first` on. @throws Error(usage) when the plan makes no sense
    Sampler(SamplerPlan plan, std::vector<double> whole_schedule, int first);

    virtual void advance(SamplerState& state, const DenoiseFunction& network, NoiseGenerator& noise) const = 0;

    const SamplerPlan& plan() const { return plan_; }
    const SchedulerConfig& config() const { return plan_.config; }
    /// The timestep of a step that runs.
    double timestep(int step) const { return timesteps_[static_cast<std::size_t>(step)]; }
    bool is_last(int step) const { return step + 1 >= std::ssize(timesteps_); }
    /// Number of a step that runs in the whole schedule.
    int index(int step) const { return first_ + step; }

private:
    SamplerPlan plan_;
    int first_;
    std::vector<double> timesteps_;
};

/// What the samplers are known by.
struct SamplerKind {
    std::string_view name;                       ///< `lcm.sampler`
    std::string_view class_name;                 ///< of the reference, in `scheduler_config.json`
    std::span<const std::string_view> settings;  ///< keys of `lcm.schedule` that it reads, beside the noise schedule
    bool takes_eta;                              ///< whether `SamplerPlan::eta` has a meaning
    bool takes_lcm_strength;                     ///< whether the strength rule "lcm" has one
    void (*set_defaults)(SchedulerConfig&);      ///< the defaults of the reference's class
    std::unique_ptr<Sampler> (*make)(const SamplerPlan&);
};

/// Every sampler.
std::span<const SamplerKind* const> sampler_kinds();

/// The kind of that name. @throws Error(`code`) at `where` for an unknown one, with the nearest
const SamplerKind& sampler_kind(std::string_view name, ExitCode code, std::string_view where);

/// The sampler of that name (`lcm.sampler`).
/// @throws Error(data) for an unknown name, Error(usage) when the plan does not fit itself or the sampler
std::unique_ptr<Sampler> make_sampler(std::string_view name, const SamplerPlan& plan);

/// The settings that `json` means for a sampler: its own, over the defaults of the reference's class. @throws as SchedulerConfig::from_json
SchedulerConfig settings_for_sampler(const SamplerKind& kind, const Json& json);

/// The first step that runs under the rule "cut". @throws Error(usage) under another rule, or when none is left
int first_of_cut(const SamplerPlan& plan);

}  // namespace lcm
