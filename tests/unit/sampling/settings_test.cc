// What requests, presets and conventions make of a run, without a network.
#include <doctest/doctest.h>

#include "lib/sampling/convention.h"
#include "lib/sampling/explain.h"
#include "lib/sampling/preset.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/sampling/denoise_support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

RunSettings settings(const Model& model, const DenoiseRequest& request) { return settings_for(model.bundle, conditioning(model), request); }

void check_refused(std::initializer_list<std::string_view> words, const DenoiseRequest& request) {
    check_error(ExitCode::usage, words, [&] { settings(Model::sd15(), request); });
}

}  // namespace

TEST_CASE("every preset is a run, and leaves what was asked for") {
    for (const std::string& name : preset_names()) {
        CAPTURE(name);
        DenoiseRequest request;
        request.guidance = 3;
        apply_preset(name, request);
        const RunSettings run = settings(Model::sd15(), request);
        CHECK(run.guidance == 3);
        CHECK(run.steps >= 1);
    }
    DenoiseRequest lightning;
    apply_preset("lightning", lightning);
    const RunSettings run = settings(Model::sd15(), lightning);
    CHECK(run.sampler == "euler");
    CHECK(run.guidance == 0);
    const std::vector<double> trailing{999, 749, 499, 249};
    CHECK(make_sampler(run.sampler, run.plan())->timesteps() == trailing);
    DenoiseRequest two;
    two.steps = 2;
    check_error(ExitCode::usage, {"--preset", "dmd2", "4 steps"}, [&] { apply_preset("dmd2", two); });
    check_error(ExitCode::usage, {"--preset", "lightnin", "lightning"}, [&] { apply_preset("lightnin", two); });
}

TEST_CASE("conventions choose generator, start noise and rule of strength") {
    DenoiseRequest request;
    apply(convention("a1111"), request);
    CHECK(request.rng == Rng::philox);
    CHECK(request.start_noise == StartNoise::sigma_max);
    CHECK(request.strength_rule == Strength::Rule::cut);
    apply(convention("comfy"), request);
    CHECK(request.rng == Rng::philox);  // what is set stays
    check_error(ExitCode::usage, {"--like", "invoke", "comfy"}, [] { convention("invoke"); });
}

TEST_CASE("the rule stretch runs every step, the last of a longer schedule, as ComfyUI's denoise") {
    DenoiseRequest request;
    apply(convention("comfy"), request);
    CHECK(request.strength_rule == Strength::Rule::stretch);
    for (int steps = 1; steps <= 30; ++steps) {
        for (const double value : {0.05, 0.3, 0.5, 0.6, 0.75, 0.9, 0.999, 0.99995, 1.0}) {
            const Strength strength{Strength::Rule::stretch, value};
            const int whole = whole_steps(steps, strength);
            CHECK(whole == (value > 0.9999 ? steps : static_cast<int>(steps / value)));
            CHECK(kept_steps(whole, strength) == steps);
        }
    }
    check_error(ExitCode::usage, {"2 by strength 0.3"}, [] { kept_steps(2, {Strength::Rule::stretch, 0.3}); });
}

TEST_CASE("a sampler's steps may be more or fewer than were asked for, and the schedule keeps the number") {
    DenoiseRequest request;
    request.sampler = "pndm";
    request.steps = 5;
    RunSettings run = settings(Model::sd15(), request);
    CHECK(run.steps == 6);  // its first step takes two calls
    CHECK(run.schedule_steps() == 5);
    Record start = conditioning(Model::sd15());
    add_start_image(start, false);
    request.sampler = "ddim";
    request.strength = 0.5;
    run = settings_for(Model::sd15().bundle, start, request);
    CHECK(run.steps == 2);
    CHECK(run.schedule_steps() == 5);
    CHECK(run.width == 72);
}

TEST_CASE("strength has the rule of the model, and a default") {
    Record start = conditioning(Model::lcm());
    add_start_image(start, false);
    RunSettings run = settings_for(Model::lcm().bundle, start, {});
    CHECK(run.strength->rule == Strength::Rule::lcm);
    CHECK(run.strength->value == 0.8);
    run = settings_for(Model::sd15().bundle, start, {});
    CHECK(run.strength->rule == Strength::Rule::cut);
    add_start_image(start, true);
    CHECK(settings_for(Model::sd15().bundle, start, {}).strength->value == 1);
    DenoiseRequest request;
    request.strength = 0.5;
    check_refused({"strength", "latent.init"}, request);
}

TEST_CASE("what a sampler does not read is refused") {
    const auto refused = [](std::initializer_list<std::string_view> words, const auto& change) {
        DenoiseRequest request;
        change(request);
        check_refused(words, request);
    };
    refused({"--sampler", "warp"}, [](DenoiseRequest& r) { r.sampler = "warp"; });
    refused({"spacing", "lcm"}, [](DenoiseRequest& r) { r.spacing = TimestepSpacing::trailing; });
    refused({"spacing of sigmas", "ddim"}, [](DenoiseRequest& r) { r.sampler = "ddim-karras"; });
    refused({"sigmas", "ddim"}, [](DenoiseRequest& r) {
        r.sampler = "ddim";
        r.sigmas = {{1, 0}};
    });
    refused({"original steps", "euler"}, [](DenoiseRequest& r) {
        r.sampler = "euler";
        r.original_steps = 20;
    });
    refused({"eta", "lcm"}, [](DenoiseRequest& r) { r.eta = 0.5; });
    refused({"sigmas", "timesteps"}, [](DenoiseRequest& r) {
        r.sigmas = {{1, 0}};
        r.timesteps = {{999}};
    });
    refused({"sigmas", "before and after"}, [](DenoiseRequest& r) { r.sigmas = {{1}}; });
    refused({"guidance rescale"}, [](DenoiseRequest& r) { r.guidance_rescale = 2; });
}

TEST_CASE("steps are explained in numbers") {
    DenoiseRequest request;
    request.steps = 2;
    const std::string text = explain(settings(Model::lcm(), request));
    for (const char* part :
         {"sampler lcm, 2 steps", "c_skip", "c_out", "999", "0.00466", "14.61", "499", "\"original_inference_steps\":50"}) {
        CAPTURE(text);
        CHECK(text.find(part) != std::string::npos);
    }
}
