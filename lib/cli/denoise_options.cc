#include "lib/cli/denoise_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/cli/record_io.h"

namespace lcm::cli {

void DenoiseOptions::declare(CLI::App& app) {
    const auto add = [&](const char* name, auto& value, const char* help) {
        return app.add_option(name, value, help)->type_name("N")->group(group::generation);
    };
    add("-W,--width", request.width, "Width in pixels; a multiple of 8; else the model's own");
    add("-H,--height", request.height, "Height in pixels; a multiple of 8; else the model's own");
    add("--steps", request.steps, "Steps; else the model's own, mostly 4")->check(CLI::Range(1, 1000));
    add("--guidance", request.guidance, "How closely to follow the prompt; else the model's own")->check(CLI::Range(0.0, 1000.0));
    add("--timesteps", request.timesteps, "Own timesteps, falling, with commas: 999,749,499,249")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("T,...");
    add("--original-steps", request.original_steps, "Length of the schedule that the model was distilled on; else the model's own")
        ->check(CLI::Range(1, 1000));
    sampler.declare(app);
    add("--fuse-batch", fuse_batch, "Denoise so many pictures of the stream as one batch; near what each is alone, not the same bytes")
        ->check(CLI::Range(1, 256));
    add("--merge-tokens", request.token_merge, "Merge this share of the tokens in the largest self-attentions: faster, and another picture")
        ->check(CLI::Range(0.0, 0.75));
    add("--reuse-deep", request.reuse_deep, "Run the UNet's inner blocks only at every Nth step: faster, and another picture")
        ->check(CLI::Range(1, 1000));
    add("--from", from_, "Go on from this step of a record that was stopped there; comfy: the input is a .latent file of ComfyUI")
        ->type_name("N|comfy");
    add("--to", to_, "Stop after this step and save the state in the record; comfy: write a .latent file for ComfyUI")
        ->type_name("N|comfy");
}

namespace {

/// A step, or nothing for the name of a format. @throws Error(usage)
std::optional<int> step_of(const char* flag, const std::string& text) {
    if (text.empty() || text == comfy_format) return std::nullopt;
    const auto step = parse_u64(text);
    if (!step || *step > 1000)
        throw Error(ExitCode::usage, flag, fmt::format("\"{}\" is no step", escape_control(text)),
                    "give a number from 0 to 1000, or comfy");
    return static_cast<int>(*step);
}

}  // namespace

bool DenoiseOptions::from_comfy() const { return from_ == comfy_format; }
bool DenoiseOptions::to_comfy() const { return to_ == comfy_format; }

void DenoiseOptions::check() {
    request.from = step_of("--from", from_);
    request.to = step_of("--to", to_);
    if (request.guidance && !std::isfinite(*request.guidance))
        throw Error(ExitCode::usage, "--guidance", "is no number", "give one such as 7.5");
    if (request.from && request.to && *request.from > *request.to)
        throw Error(ExitCode::usage, "--from", "is beyond --to", "give --from the smaller number");
    if (request.timesteps && request.steps && static_cast<int>(request.timesteps->size()) != *request.steps)
        throw Error(ExitCode::usage, "--timesteps", "and --steps give different numbers of steps", "leave out --steps");
    sampler.fill(request);
}

}  // namespace lcm::cli
