// A run in parts gives the record of one run, for every sampler and whatever it starts from.
#include <doctest/doctest.h>

#include <functional>

#include "lib/sampling/sampler.h"
#include "tests/unit/sampling/denoise_support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

DenoiseRequest with(const char* sampler) {
    DenoiseRequest request = small(4);
    request.sampler = sampler;
    return request;
}

}  // namespace

TEST_CASE("every sampler splits") {
    for (const SamplerKind* kind : sampler_kinds()) {
        CAPTURE(kind->name);
        DenoiseRequest request = with(std::string(kind->name).c_str());
        if (kind->takes_eta) request.eta = 0.3;
        check_splits(Model::sd15(), conditioning(Model::sd15()), request);
    }
}

TEST_CASE("spaced and custom schedules split") {
    for (const char* sampler : {"euler-karras", "dpm++2m-karras", "unipc-karras"}) {
        CAPTURE(sampler);
        check_splits(Model::sd15(), conditioning(Model::sd15()), with(sampler));
    }
    DenoiseRequest request = with("euler");
    request.steps.reset();
    request.sigmas = {{14.6, 2.9, 0.6, 0.0}};
    request.guidance_rescale = 0.7;
    const Record half = denoise(Model::sd15(), conditioning(Model::sd15()), until(request, 1));
    CHECK(half.at(key::sigmas) == "[14.6,2.9,0.6,0]");
    CHECK(half.at(key::timestep).find('.') != std::string::npos);
    check_splits(Model::sd15(), conditioning(Model::sd15()), request);
}

TEST_CASE("both generators split, alone and for a batch") {
    for (const Rng rng : {Rng::torch_cpu, Rng::philox}) {
        for (const std::int64_t rows : {1, 3}) {
            DenoiseRequest request = with("euler-a");
            request.rng = rng;
            request.rng_rows = rows;
            request.rng_row = rows - 1;
            check_splits(Model::sd15(), conditioning(Model::sd15()), request);
        }
    }
}

TEST_CASE("runs from a picture split, with a mask and without") {
    for (const bool masked : {false, true}) {
        for (const char* sampler : {"lcm", "dpm++2m", "euler-a"}) {
            CAPTURE(sampler);
            CAPTURE(masked);
            Record start = conditioning(Model::sd15());
            add_start_image(start, masked);
            DenoiseRequest request = with(sampler);
            request.strength = 0.75;
            check_splits(Model::sd15(), start, request);
        }
    }
}

TEST_CASE("an unfinished record carries the memory of its sampler, and nothing else") {
    const Record record = denoise(Model::sd15(), conditioning(Model::sd15()), until(with("unipc"), 2));
    CHECK(record.at(key::sampler) == "unipc");
    for (const char* name : {"sched.output.0", "sched.output.1", "sched.sample"}) CHECK(record.tensors.contains(name));
    for (const char* name : {"sched.output.1", "sched.sample"}) {
        check_tampered(Model::sd15(), record, {"record 0", name}, [&](Record& broken) { broken.tensors.erase(name); });
        check_tampered(Model::sd15(), record, {"record 0", name, "[4,5,8]"}, [&](Record& narrowed) {
            narrowed.tensors.at(name) = from_torch(at::zeros({4, 5, 8}));
        });
    }
    for (const auto& [name, unused] : denoise(Model::sd15(), record, {}).tensors) CHECK_FALSE(name.starts_with(tensor::sched_prefix));
}

TEST_CASE("requests that contradict a begun run are refused by name") {
    DenoiseRequest begun = with("ddim");
    begun.eta = 0.3;
    begun.rng = Rng::philox;
    Record start = conditioning(Model::sd15());
    add_start_image(start, false);
    begun.strength = 0.75;
    const Record half = denoise(Model::sd15(), start, until(begun, 1));
    CHECK(half.at(key::eta) == "0.3");
    CHECK(half.at(key::rng) == "philox");
    CHECK(half.at(key::strength) == "0.75");
    CHECK(half.at(key::strength_rule) == "cut");
    CHECK_FALSE(half.tensors.contains(tensor::rng_state));
    CHECK_FALSE(half.tensors.contains(tensor::latent_init));
    const auto contradicts = [&](std::initializer_list<std::string_view> words, const std::function<void(DenoiseRequest&)>& change) {
        check_contradiction(Model::sd15(), half, words, change);
    };
    contradicts({"sampler", "ddim"}, [](DenoiseRequest& r) { r.sampler = "euler"; });
    contradicts({"eta", "0.3"}, [](DenoiseRequest& r) { r.eta = 0.5; });
    contradicts({"rng", "philox"}, [](DenoiseRequest& r) { r.rng = Rng::torch_cpu; });
    contradicts({"strength", "0.75"}, [](DenoiseRequest& r) { r.strength = 0.5; });
    contradicts({"strength rule", "cut"}, [](DenoiseRequest& r) { r.strength_rule = Strength::Rule::lcm; });
    contradicts({"spacing"}, [](DenoiseRequest& r) { r.spacing = TimestepSpacing::trailing; });
    contradicts({"zero-SNR"}, [](DenoiseRequest& r) { r.zero_snr = true; });
    contradicts({"guidance rescale", "0"}, [](DenoiseRequest& r) { r.guidance_rescale = 0.5; });
    contradicts({"start noise"}, [](DenoiseRequest& r) { r.start_noise = StartNoise::sigma_max; });
    check_same(denoise(Model::sd15(), half, begun), denoise(Model::sd15(), half, {}));
}

TEST_CASE("settings of a begun run that make no sense are refused") {
    Record start = conditioning(Model::sd15());
    add_start_image(start, false);
    const Record half = denoise(Model::sd15(), start, until(with("ddim"), 1));
    const auto refused = [&](std::initializer_list<std::string_view> words, std::string_view key, const char* value) {
        check_tampered(Model::sd15(), half, words, [&](Record& record) { record.set(key, value); });
    };
    refused({"record 0", "lcm.sampler", "ddmi", "ddim"}, key::sampler, "ddmi");
    refused({"record 0", "lcm.eta"}, key::eta, "much");
    refused({"record 0", "lcm.strength"}, key::strength, "0");
    refused({"record 0", "lcm.strength_rule", "tie"}, key::strength_rule, "tie");
}
