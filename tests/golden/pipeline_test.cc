#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/base/file.h"
#include "lib/core/tensor/convert.h"
#include "lib/image/codec.h"
#include "lib/input/image/image_encoder.h"
#include "lib/sampling/denoiser.h"
#include "lib/sampling/run_settings.h"
#include "lib/stream/keys.h"
#include "tests/golden/golden_case.h"
#include "tests/golden/pipeline_tools.h"

using namespace lcm;

namespace {

// Whole pipelines hold to this share of the largest latent; the case's own tolerance is wider.
constexpr double latent_tolerance = 1e-5;

struct Silent : Observer {
    void on_step(int, int, int) override {}
};

/// One result of a case: its prompts, its seed, and its place in a batch that shares a generator.
struct Sample {
    std::string prompt;
    std::optional<std::string> negative_prompt;
    std::uint64_t seed = 0;
    std::int64_t rows = 1, row = 0;
};

std::optional<std::string> text_at(const Json& call, const char* key, std::size_t index) {
    const Json* text = call.find(key);
    if (!text) return std::nullopt;
    return text->is_array() ? text->as_array()[index].as_string() : text->as_string();
}

/// Pictures with a seed each, or a batch with one seed.
std::vector<Sample> samples_of(const golden::Case& one) {
    const Json& call = one.args().at("call");
    const Json* seeds = one.args().find("seeds");
    const Json& prompt = call.at("prompt");
    const std::size_t prompts = prompt.is_array() ? prompt.as_array().size() : 1;
    const auto copies = static_cast<std::size_t>(call.get("num_images_per_prompt", std::int64_t{1}));
    const std::size_t count = seeds ? seeds->as_array().size() : prompts * copies;
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t seed = (seeds ? seeds->as_array()[i] : one.args().at("seed")).as_integer();
        Sample sample{*text_at(call, "prompt", i / copies), text_at(call, "negative_prompt", i / copies), static_cast<std::uint64_t>(seed)};
        if (!seeds) std::tie(sample.rows, sample.row) = std::pair(count, i);
        samples.push_back(sample);
    }
    return samples;
}

/// The name of the sampler of the reference's class.
std::string sampler_of(const std::string& class_name) {
    for (const SamplerKind* kind : sampler_kinds())
        if (kind->class_name == class_name) return std::string(kind->name);
    throw std::runtime_error("no sampler for " + class_name);
}

void set_scheduler(const Json& scheduler, DenoiseRequest& request) {
    request.sampler = sampler_of(scheduler.at("class").as_string());
    if (request.sampler == "lcm" || request.sampler == "tcd") return;
    const Json& config = scheduler.at("config");
    const std::string spacing = config.get("timestep_spacing", "leading");
    request.spacing = spacing == "trailing" ? TimestepSpacing::trailing : TimestepSpacing::leading;
    if (config.get("use_karras_sigmas", false)) request.sigma_spacing = SigmaSpacing::karras;
    if (config.find("clip_sample")) request.clip_sample = config.get("clip_sample", false);
    if (config.find("set_alpha_to_one")) request.set_alpha_to_one = config.get("set_alpha_to_one", false);
}

/// The reference's LCM pipelines mean the strength rule "lcm", the others "cut".
void set_strength(const golden::Case& one, DenoiseRequest& request) {
    const Json* strength = one.args().at("call").find("strength");
    if (!strength) return;
    request.strength = strength->as_number();
    const bool lcm = one.args().at("pipeline").as_string().starts_with("LatentConsistency");
    request.strength_rule = lcm ? Strength::Rule::lcm : Strength::Rule::cut;
}

DenoiseRequest request_of(const golden::Case& one) {
    const Json& call = one.args().at("call");
    DenoiseRequest request;
    if (const Json* width = call.find("width")) request.width = width->as_integer();
    if (const Json* height = call.find("height")) request.height = height->as_integer();
    request.steps = static_cast<int>(call.at("num_inference_steps").as_integer());
    const double usual = 8.5;  // of the reference's LCM pipeline; the other pipelines' cases name theirs
    request.guidance = call.get("guidance_scale", usual);
    set_scheduler(one.args().at("scheduler"), request);
    set_strength(one, request);
    if (const Json* eta = call.find("eta")) request.eta = eta->as_number();
    if (const Json* rescale = call.find("guidance_rescale")) request.guidance_rescale = rescale->as_number();
    if (const Json* original = call.find("original_inference_steps")) request.original_steps = static_cast<int>(original->as_integer());
    if (const Json* list = call.find("timesteps")) {
        request.timesteps.emplace();
        for (const Json& timestep : list->as_array()) request.timesteps->push_back(timestep.as_integer());
    }
    return request;
}

Image read_picture(const std::string& file) {
    const MappedFile mapped(golden::folder() + "/" + file);
    return read_image(mapped.bytes(), mapped.path());
}

/// Adds the start latent, drawn from the VAE's posterior with the picture's own generator, and the mask.
void add_start_image(const golden::Case& one, const golden::PipelineTools& tools, const Sample& sample, Record& record) {
    const Json& call = one.args().at("call");
    const Json* image = call.find("image");
    if (!image) return;
    ImageSettings settings{.sample = true};
    if (call.find("width"))
        settings.size = ImageSize{static_cast<int>(call.at("width").as_integer()), static_cast<int>(call.at("height").as_integer())};
    settings.fit = Fit::stretch;  // as the reference does, whatever the size
    ImageEncoder encoder(tools.bundle, settings);
    Picture picture{read_picture(image->as_string()), image->as_string(), {}, {}, sample.seed};
    if (const Json* mask = call.find("mask_image")) picture.mask = read_picture(mask->as_string());
    encoder.set_picture(std::move(picture));
    encoder.enrich(record);
}

/// What SDXL alone takes: a prompt for the second text encoder, and the size conditions.
void add_second_prompt(const golden::Case& one, golden::PipelineTools& tools, const Sample& sample, Record& record) {
    const Json& call = one.args().at("call");
    if (!call.find("prompt_2")) return;
    const TextConditions conditions = tools.encoder.encode({.prompt = sample.prompt, .prompt_2 = call.at("prompt_2").as_string()});
    record.tensors.insert_or_assign(std::string(tensor::text_embeds), conditions.embeds);
    record.tensors.insert_or_assign(std::string(tensor::text_pooled), conditions.pooled);
    std::vector<float> sizes;
    for (const char* name : {"original_size", "crops_coords_top_left", "target_size"})
        for (const Json& value : call.at(name).as_array()) sizes.push_back(static_cast<float>(value.as_integer()));
    record.tensors.insert_or_assign(std::string(tensor::text_time_ids), from_torch(at::tensor(sizes)));
}

Record encode(const golden::Case& one, golden::PipelineTools& tools, const Sample& sample) {
    Record record;
    record.place = one.id();
    record.set(key::prompt, sample.prompt);
    if (sample.negative_prompt) record.set(key::negative_prompt, *sample.negative_prompt);
    tools.encoder.enrich(record);
    add_second_prompt(one, tools, sample, record);
    add_start_image(one, tools, sample, record);
    return record;
}

/// The reference's Euler samplers hold clean + sigma * normal: the factor between their sample after each step and ours.
std::vector<double> expansions(const golden::Case& one, const RunSettings& settings) {
    std::vector<double> factors(static_cast<std::size_t>(settings.steps), 1);
    if (!one.args().at("scheduler").at("class").as_string().starts_with("Euler")) return factors;
    const std::vector<double> sigmas = make_sampler(settings.sampler, settings.plan())->sigmas();
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = std::hypot(sigmas[sigmas.size() - factors.size() + i], 1.0);
    return factors;
}

/// Latents after each step, [n,C,h,w], and the finished record.
std::pair<at::Tensor, Record> denoise(const golden::Case& one, const golden::PipelineTools& tools, Record record, DenoiseRequest request) {
    Silent observer;
    std::vector<at::Tensor> steps;
    const RunSettings settings = settings_for(tools.bundle, record, request);
    const std::vector<double> factors = expansions(one, settings);
    for (int step = 1; step <= settings.steps; ++step) {
        request.to = step;
        record = tools.denoiser.denoise(record, request, 0, observer);
        steps.push_back(to_torch(record.tensor(tensor::latent)) * factors[static_cast<std::size_t>(step - 1)]);
    }
    return {at::stack(steps), std::move(record)};
}

at::Tensor pixels(Image image) {
    return at::from_blob(image.pixels.data(), {image.height, image.width, image.channels}, at::TensorOptions().dtype(at::kByte)).clone();
}

at::Tensor timesteps_of(const Record& record) {
    std::vector<double> values;
    const Json list = parse_json(record.at(key::timesteps), "timesteps");
    for (const Json& timestep : list.as_array()) values.push_back(timestep.as_number());
    return at::tensor(values, at::TensorOptions().dtype(at::kDouble));
}

void check_latents(const golden::Case& one, const std::string& name, const at::Tensor& got) {
    const at::Tensor want = one.expected(name);
    const double largest = at::abs(want).max().item<double>();
    const golden::Difference found = golden::compare(got, want, {.atol = latent_tolerance * largest});
    CHECK_MESSAGE(found.problem.empty(), one.id() << " " << name << ": " << found.problem << "; relative " << found.largest_rel);
}

golden::Results run(const golden::Case& one) {
    golden::PipelineTools& tools = golden::tools_of(one);
    DenoiseRequest request = request_of(one);
    std::vector<at::Tensor> steps, latents, images;
    golden::Results results;
    for (const Sample& sample : samples_of(one)) {
        request.seed = sample.seed;
        request.rng_rows = sample.rows;
        request.rng_row = sample.row;
        const auto [trajectory, record] = denoise(one, tools, encode(one, tools, sample), request);
        steps.push_back(trajectory);
        latents.push_back(to_torch(record.tensor(tensor::latent)));
        images.push_back(pixels(tools.renderer.render(record)));
        results["timesteps"] = timesteps_of(record);
    }
    results["steps"] = at::stack(steps, 1);
    results["latents"] = at::stack(latents);
    results["images"] = at::stack(images);
    for (const char* name : {"steps", "latents"}) check_latents(one, name, results[name]);
    return results;
}

}  // namespace

TEST_CASE("whole pipelines equal the reference's, step by step") { golden::check_group("pipeline", run); }
