#include <ATen/ops/abs.h>
#include <ATen/ops/stack.h>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "lib/core/tensor/convert.h"
#include "lib/input/image/image_encoder.h"
#include "lib/input/text/text_encoder.h"
#include "lib/render/renderer.h"
#include "lib/sampling/denoiser.h"
#include "lib/stream/keys.h"
#include "tests/golden/golden_picture.h"

using namespace lcm;

namespace {

struct Silent : Observer {
    void on_step(int, int, int) override {}
};

Picture picture_at(const golden::Case& one, const Json& path) {
    const MappedFile file(golden::folder() + "/" + path.as_string());
    return {.image = read_image(file.bytes(), file.path()),
            .place = file.path(),
            .mask = {},
            .mask_place = {},
            .seed = static_cast<std::uint64_t>(one.args().at("seed").as_integer())};
}

void add_picture(const golden::Case& one, const Bundle& bundle, ImageSettings settings, const Json& path, Record& record) {
    ImageEncoder encoder(bundle, std::move(settings));
    encoder.set_picture(picture_at(one, path));
    encoder.enrich(record);
}

/// Text, and what the case's pictures are: a start, a map, or an example.
Record encoded(const golden::Case& one, const Bundle& bundle) {
    const Json& call = one.args().at("call");
    Record record;
    record.place = one.id();
    record.set(key::prompt, call.at("prompt").as_string());
    if (const Json* negative = call.find("negative_prompt")) record.set(key::negative_prompt, negative->as_string());
    TextEncoder(bundle).enrich(record);
    const Json* map = call.find("control_image");
    if (map) add_picture(one, bundle, {.sample = true}, call.at("image"), record);
    if (!map) map = call.find("image");
    if (map) add_picture(one, bundle, {.latent = false, .given_maps = {"map"}}, *map, record);
    if (const Json* example = call.find("ip_adapter_image")) {
        const std::string folder = golden::folder() + "/" + one.args().at("ip_adapter").as_string() + "/models/image_encoder";
        add_picture(one, bundle, {.latent = false, .features = open_image_encoder(folder)}, *example, record);
    }
    return record;
}

ControlSet networks(const golden::Case& one, const UNetConfig& unet) {
    const Json &args = one.args(), &call = args.at("call");
    ControlSet set;
    const auto add = [&](const ControlEntry& entry, const std::string& path) {
        set.add(entry, golden::folder() + "/" + path, unet, one.id());
    };
    if (const Json* folder = args.find("controlnet")) {
        const double usual = call.find("control_image") ? 0.8 : 1.0;  // of the reference's pipelines
        add({.kind = "controlnet",
             .map = "map",
             .scale = call.get("controlnet_conditioning_scale", usual),
             .window = {call.get("control_guidance_start", 0.0), call.get("control_guidance_end", 1.0)},
             .guess = call.get("guess_mode", false)},
            folder->as_string());
    }
    if (const Json* folder = args.find("adapter"))
        add({.kind = "t2i-adapter", .scale = call.get("adapter_conditioning_scale", 1.0)}, folder->as_string());
    if (const Json* folder = args.find("ip_adapter"))
        add({.kind = "ip-adapter", .scale = args.at("ip_adapter_scale").as_number()},
            folder->as_string() + "/models/ip-adapter_tiny.safetensors");
    return set;
}

DenoiseRequest request_of(const golden::Case& one) {
    const Json& call = one.args().at("call");
    DenoiseRequest request;
    request.sampler = "lcm";
    request.steps = static_cast<int>(call.at("num_inference_steps").as_integer());
    if (const Json* width = call.find("width")) request.width = width->as_integer();
    if (const Json* height = call.find("height")) request.height = height->as_integer();
    request.guidance = call.at("guidance_scale").as_number();
    request.seed = static_cast<std::uint64_t>(one.args().at("seed").as_integer());
    if (!call.find("strength")) return request;
    request.strength = call.at("strength").as_number();
    request.strength_rule = Strength::Rule::cut;
    return request;
}

golden::Results steered(const golden::Case& one) {
    const Bundle bundle = Bundle::open(golden::folder() + "/" + one.args().at("model").as_string());
    Record record = encoded(one, bundle);
    const Denoiser denoiser(bundle, {}, networks(one, UNetConfig::from_json(bundle.config(Part::unet))));
    Silent observer;
    DenoiseRequest request = request_of(one);
    std::vector<at::Tensor> latents;
    const std::int64_t steps = one.expected("timesteps").size(0);
    for (request.to = 1; *request.to <= steps; ++*request.to) {
        record = denoiser.denoise(record, request, 0, observer);
        latents.push_back(to_torch(record.tensor(tensor::latent)).unsqueeze(0));
    }
    // Whole pipelines hold to this share of the largest latent; the case's own tolerance is wider.
    constexpr double share = 1e-5;
    const at::Tensor want = one.expected("latents");
    const golden::Difference found = golden::compare(latents.back(), want, {.atol = share * at::abs(want).max().item<double>()});
    CHECK_MESSAGE(found.problem.empty(), one.id() << ": " << found.problem << "; relative " << found.largest_rel);
    return {{"latents", latents.back()},
            {"steps", at::stack(latents)},
            {"images", golden::bytes_of(Renderer(bundle).render(record)).unsqueeze(0)},
            {"timesteps", one.expected("timesteps")}};  // those of other pipelines: the scheduler's own tests hold them
}

}  // namespace

TEST_CASE("pipelines that follow a map or a picture equal the reference's, step by step") {
    golden::check_group("control_pipeline", steered);
}
