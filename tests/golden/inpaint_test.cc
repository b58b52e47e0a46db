#include <ATen/ops/abs.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "lib/base/file.h"
#include "lib/core/tensor/convert.h"
#include "lib/image/codec.h"
#include "lib/input/image/image_encoder.h"
#include "lib/input/text/text_encoder.h"
#include "lib/sampling/denoiser.h"
#include "lib/stream/keys.h"
#include "tests/golden/golden_case.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/stored_tensors.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

constexpr double latent_tolerance = 1e-5;  // of the largest latent, as for all whole pipelines

struct Silent : Observer {
    void on_step(int, int, int) override {}
};

std::string reference_file() { return golden::folder() + "/../inpaint/expected.safetensors"; }

/// The small SD 1.5 with a UNet of 9 input channels: its first convolution is that of the reference file.
void make_model(const std::string& folder) {
    fs::copy(golden::folder() + "/models/sd15", folder, fs::copy_options::recursive);
    const std::string unet = folder + "/unet/diffusion_pytorch_model.safetensors";
    std::vector<StoredTensor> tensors{stored_tensor(WeightFile(reference_file()), "conv_in.weight")};
    {
        const WeightFile file(unet);
        for (const auto& [name, entry] : file.tensors())
            if (name != "conv_in.weight") tensors.push_back(stored_tensor(file, name));
    }
    fs::remove(unet);  // the mapped one lives on
    write_file(unet, safetensors_bytes(tensors));
    std::string config = read_file(folder + "/unet/config.json");
    const std::string before = "\"in_channels\": 4", after = "\"in_channels\": 9";
    const std::size_t at = config.find(before);
    REQUIRE(at != std::string::npos);
    write_file(folder + "/unet/config.json", config.replace(at, before.size(), after));
}

Image picture(const std::string& name) {
    const MappedFile file(golden::folder() + "/images/" + name + ".png");
    return read_image(file.bytes(), file.path());
}

Record encoded(const Bundle& bundle, const std::string& prompt, std::uint64_t seed, bool sample = true) {
    Record record;
    record.place = "record 0";
    record.set(key::prompt, prompt);
    TextEncoder(bundle).enrich(record);
    ImageEncoder encoder(bundle, {.sample = sample});
    encoder.set_picture({.image = picture("init"), .place = "init", .mask = picture("inpaint_mask"), .mask_place = "mask", .seed = seed});
    encoder.enrich(record);
    return record;
}

DenoiseRequest request_of(const Json& all, const Json& one) {
    DenoiseRequest request;
    request.seed = static_cast<std::uint64_t>(all.at("seed").as_integer());
    request.steps = static_cast<int>(all.at("steps").as_integer());
    request.sampler = one.at("sampler").as_string();
    request.guidance = one.at("guidance").as_number();
    request.strength = one.at("strength").as_number();
    request.strength_rule = Strength::Rule::cut;
    if (request.sampler == "euler") request.spacing = TimestepSpacing::linspace;
    return request;
}

at::Tensor latent_of(const Record& record) { return to_torch(record.tensor(tensor::latent)); }

}  // namespace

TEST_CASE("inpainting UNets equal the reference, however the steps are split") {
    const TemporaryFolder folder;
    make_model(folder / "model");
    const Bundle bundle = Bundle::open(folder / "model");
    const Denoiser denoiser(bundle);
    const WeightFile reference(reference_file());
    const Json all = parse_json(reference.metadata().find("cases")->second, reference_file());
    Silent observer;
    for (const auto& [name, one] : all.at("cases").as_object()) {
        INFO("case ", name);
        const Record start = encoded(bundle, all.at("prompt").as_string(), static_cast<std::uint64_t>(all.at("seed").as_integer()));
        DenoiseRequest request = request_of(all, one);
        const Record whole = denoiser.denoise(start, request, 0, observer);
        const at::Tensor want = reference.view(name).squeeze(0);
        const double largest = at::abs(want).max().item<double>();
        const golden::Difference found = golden::compare(latent_of(whole), want, {.atol = latent_tolerance * largest});
        CHECK_MESSAGE(found.problem.empty(), name << ": " << found.problem << "; relative " << found.largest_rel);
        Record part = start;
        for (int step = 1; part.find(key::step) == nullptr || part.at(key::step) != part.at(key::steps); ++step) {
            request.to = step;
            part = denoiser.denoise(part, request, 0, observer);
        }
        CHECK(part.metadata == whole.metadata);
        CHECK(at::equal(latent_of(part), latent_of(whole)));
        for (const std::string_view gone : {tensor::latent_init, tensor::latent_mask, tensor::latent_masked, tensor::latent_masked_std})
            CHECK_FALSE(part.tensors.contains(gone));
    }
}

TEST_CASE("an inpainting UNet without mask or masked picture says what to do") {
    const TemporaryFolder folder;
    make_model(folder / "model");
    const Bundle bundle = Bundle::open(folder / "model");
    const Denoiser denoiser(bundle);
    Silent observer;
    DenoiseRequest request;
    request.steps = 2;
    const Record start = encoded(bundle, "a castle", 3, false);
    CHECK_FALSE(start.tensors.contains(tensor::latent_masked_std));
    for (const std::string_view name : {tensor::latent_mask, tensor::latent_masked}) {
        Record bare = start;
        bare.tensors.erase(bare.tensors.find(name));
        check_error(ExitCode::data, {"record 0", name, "lcm-encode image", "--mask"},
                    [&] { denoiser.denoise(bare, request, 0, observer); });
    }
    Record small = start;
    small.tensors.insert_or_assign(std::string(tensor::latent_masked), from_torch(at::zeros({4, 8, 9})));
    check_error(ExitCode::data, {"record 0", "latent.masked", "[4,8,9]"}, [&] { denoiser.denoise(small, request, 0, observer); });
}
