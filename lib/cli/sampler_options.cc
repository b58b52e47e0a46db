#include "lib/cli/sampler_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/cli/command.h"
#include "lib/sampling/convention.h"
#include "lib/sampling/preset.h"
#include "lib/sampling/run_settings.h"
#include "lib/sampling/sampler.h"

namespace lcm::cli {
namespace {

std::string sampler_names() {
    std::vector<std::string_view> names;
    for (const SamplerKind* kind : sampler_kinds()) names.push_back(kind->name);
    return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<TimestepSpacing> spacing_by_name(const std::optional<std::string>& name) {
    if (!name) return std::nullopt;
    if (name == "leading") return TimestepSpacing::leading;
    return name == "trailing" ? TimestepSpacing::trailing : TimestepSpacing::linspace;
}

}  // namespace

void SamplerOptions::declare(CLI::App& app) {
    const auto add = [&](const char* name, auto& value, const std::string& help, const char* type) {
        return app.add_option(name, value, help)->type_name(type)->group(group::generation);
    };
    add("--sampler", sampler_,
        "How steps are taken: " + sampler_names() + "; else lcm; euler-karras, dpm++2m-karras and unipc-karras set --karras", "NAME");
    add("--preset", preset_, fmt::format("Settings that a family of few-step models was made for: {}", fmt::join(preset_names(), ", ")),
        "NAME");
    add("--like", like_, "Draw as another program does: its generator, scale of the start noise and rule of strength", "PROGRAM")
        ->check(CLI::IsMember({"diffusers", "a1111", "comfy"}));
    declare_schedule(app);
    declare_start(app);
    app.add_flag("--explain", explain, "Print timesteps, noise levels and draws of each step, and draw nothing")->group(group::report);
}

void SamplerOptions::declare_schedule(CLI::App& app) {
    app.add_option("--spacing", spacing_, "Which timesteps are visited, for samplers other than lcm and tcd; else the model's")
        ->check(CLI::IsMember({"leading", "trailing", "linspace"}))
        ->type_name("KIND")
        ->group(group::generation);
    app.add_option("--sigmas", sigmas_, "Own noise levels, falling, the one after the last step too: 14.6,2.9,0.6,0")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("S,...")
        ->group(group::generation);
    app.add_flag("--karras", karras_, "Space the noise levels as Karras does, for euler, dpm++2m and unipc")->group(group::generation);
    app.add_flag("--zero-snr", zero_snr_, "Rescale the betas so that the first step sees noise alone; for v-prediction")
        ->group(group::generation);
    app.add_option("--eta", eta_, "Share of fresh noise in a step of ddim or tcd, 0 to 1; else 0")
        ->check(CLI::Range(0.0, 1.0))
        ->type_name("N")
        ->group(group::generation);
    app.add_option("--guidance-rescale", guidance_rescale_, "How far guidance keeps the spread of the output, 0 to 1; else 0")
        ->check(CLI::Range(0.0, 1.0))
        ->type_name("N")
        ->group(group::generation);
}

void SamplerOptions::declare_start(CLI::App& app) {
    app.add_option("--strength", strength_, "How much a start picture changes, above 0 to 1; else 0.8, and 1 with a mask")
        ->check(CLI::Range(0.0, 1.0))
        ->type_name("N")
        ->group(group::generation);
    app.add_option("--strength-rule", strength_rule_,
                   "What strength shortens: lcm, the schedule, and every step runs; cut, the steps, from the front; stretch, nothing: "
                   "every step runs, "
                   "the last of a longer schedule; else lcm for a full LCM")
        ->check(CLI::IsMember({"lcm", "cut", "stretch"}))
        ->type_name("RULE")
        ->group(group::generation);
    app.add_option("--rng", rng_, "Where noise comes from: torch-cpu, or philox as on a CUDA device; else torch-cpu")
        ->check(CLI::IsMember({"torch-cpu", "philox"}))
        ->type_name("NAME")
        ->group(group::generation);
}

void SamplerOptions::fill(DenoiseRequest& request) const {
    if (sampler_) sampler_kind(parse_sampler_name(*sampler_).name, ExitCode::usage, "--sampler");
    if (strength_ && !(*strength_ > 0)) throw Error(ExitCode::usage, "--strength", "is 0, which changes nothing", "give more than 0");
    request.sampler = sampler_;
    request.spacing = spacing_by_name(spacing_);
    request.sigmas = sigmas_;
    if (karras_) request.sigma_spacing = SigmaSpacing::karras;
    if (zero_snr_) request.zero_snr = true;
    request.eta = eta_;
    request.guidance_rescale = guidance_rescale_;
    request.strength = strength_;
    if (strength_rule_) request.strength_rule = rule_by_name(*strength_rule_, "--strength-rule");
    if (rng_) request.rng = rng_by_name(*rng_, "--rng");
    if (preset_) apply_preset(*preset_, request);
    if (like_) apply(convention(*like_), request);
}

}  // namespace lcm::cli
