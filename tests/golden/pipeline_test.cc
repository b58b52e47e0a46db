#include <ATen/ops/abs.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lib/core/tensor/convert.h"
#include "lib/input/text/text_encoder.h"
#include "lib/render/renderer.h"
#include "lib/sampling/denoiser.h"
#include "lib/stream/keys.h"
#include "tests/golden/golden_case.h"

using namespace lcm;

namespace {

// Whole pipelines hold to this share of the largest latent; the case's own tolerance is wider.
constexpr double latent_tolerance = 1e-5;

/// The three tools of one model.
struct Tools {
    explicit Tools(const std::string& model)
        : bundle(Bundle::open(golden::folder() + "/" + model)), encoder(bundle), denoiser(bundle), renderer(bundle) {}

    Bundle bundle;
    TextEncoder encoder;
    Denoiser denoiser;
    Renderer renderer;
};

Tools& tools_of(const golden::Case& one) {
    static std::map<std::string, Tools> opened;
    const std::string& model = one.args().at("model").as_string();
    return opened.try_emplace(model, model).first->second;
}

struct Silent : Observer {
    void on_step(int, int, int) override {}
};

/// One picture of a case: its prompts and its seed.
struct Picture {
    std::string prompt, negative_prompt;
    std::uint64_t seed = 0;
};

std::string text_at(const Json& call, const char* key, std::size_t index) {
    const Json* text = call.find(key);
    if (!text) return {};
    return text->is_array() ? text->as_array()[index].as_string() : text->as_string();
}

std::vector<Picture> pictures_of(const golden::Case& one) {
    const Json& call = one.args().at("call");
    std::vector<Picture> pictures;
    const Json* seeds = one.args().find("seeds");
    const std::size_t count = seeds ? seeds->as_array().size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t seed = (seeds ? seeds->as_array()[i] : one.args().at("seed")).as_integer();
        pictures.push_back({text_at(call, "prompt", i), text_at(call, "negative_prompt", i), static_cast<std::uint64_t>(seed)});
    }
    return pictures;
}

DenoiseRequest request_of(const golden::Case& one) {
    const Json& call = one.args().at("call");
    DenoiseRequest request;
    request.width = call.at("width").as_integer();
    request.height = call.at("height").as_integer();
    request.steps = static_cast<int>(call.at("num_inference_steps").as_integer());
    const double usual = 8.5;  // of the reference's LCM pipeline; the other pipelines' cases name theirs
    request.guidance = call.get("guidance_scale", usual);
    if (const Json* original = call.find("original_inference_steps")) request.original_steps = static_cast<int>(original->as_integer());
    if (const Json* list = call.find("timesteps")) {
        request.timesteps.emplace();
        for (const Json& timestep : list->as_array()) request.timesteps->push_back(timestep.as_integer());
    }
    return request;
}

Record encode(Tools& tools, const Picture& picture) {
    Record record;
    record.set(key::prompt, picture.prompt);
    record.set(key::negative_prompt, picture.negative_prompt);
    tools.encoder.enrich(record);
    return record;
}

/// Latents after each step, [n,C,h,w], and the finished record.
std::pair<at::Tensor, Record> denoise(const Tools& tools, Record record, DenoiseRequest request) {
    Silent observer;
    std::vector<at::Tensor> steps;
    for (int step = 1; step <= *request.steps; ++step) {
        request.to = step;
        record = tools.denoiser.denoise(record, request, 0, observer);
        steps.push_back(to_torch(record.tensor(tensor::latent)).clone());
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
    Tools& tools = tools_of(one);
    DenoiseRequest request = request_of(one);
    std::vector<at::Tensor> steps, latents, images;
    golden::Results results;
    for (const Picture& picture : pictures_of(one)) {
        request.seed = picture.seed;
        const auto [trajectory, record] = denoise(tools, encode(tools, picture), request);
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
