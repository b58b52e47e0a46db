#include "lib/cli/denoise_options.h"

#include <CLI/CLI.hpp>
#include <cmath>

#include "lib/base/error.h"
#include "lib/cli/command.h"

namespace lcm::cli {

void DenoiseOptions::declare(CLI::App& app) {
    const auto add = [&](const char* name, auto& value, const char* help) {
        return app.add_option(name, value, help)->type_name("N")->group(group::generation);
    };
    add("-W,--width", request.width, "Width in pixels; a multiple of 8; else the model's own");
    add("-H,--height", request.height, "Height in pixels; a multiple of 8; else the model's own");
    add("--steps", request.steps, "Steps; else the model's own, mostly 4")->check(CLI::Range(1, 1000));
    add("--guidance,--cfg-scale", request.guidance, "How closely to follow the prompt; else the model's own")
        ->check(CLI::Range(0.0, 1000.0));
    add("--timesteps", request.timesteps, "Own timesteps, falling, with commas: 999,749,499,249")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("T,...");
    add("--original-steps", request.original_steps, "Length of the schedule that the model was distilled on; else the model's own")
        ->check(CLI::Range(1, 1000));
    add("--from", request.from, "Go on from this step of a record that was stopped there")->check(CLI::Range(0, 1000));
    add("--to", request.to, "Stop after this step and save the state in the record")->check(CLI::Range(0, 1000));
}

void DenoiseOptions::check() const {
    if (request.guidance && !std::isfinite(*request.guidance))
        throw Error(ExitCode::usage, "--guidance", "is no number", "give one such as 7.5");
    if (request.from && request.to && *request.from > *request.to)
        throw Error(ExitCode::usage, "--from", "is beyond --to", "give --from the smaller number");
    if (request.timesteps && request.steps && static_cast<int>(request.timesteps->size()) != *request.steps)
        throw Error(ExitCode::usage, "--timesteps", "and --steps give different numbers of steps", "leave out --steps");
}

}  // namespace lcm::cli
