#include "lib/render/renderer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>

#include "lib/core/tensor/convert.h"
#include "lib/core/weights/weight_file.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"

using namespace lcm;

namespace {

// The golden rule for pictures: one level at most, in 0.5 % of the samples, since kernels round differently near a half.
constexpr int largest_difference = 1;
constexpr double share_of_differences = 0.005;

WeightFile golden_file(const std::string& name) {
    return WeightFile(std::string(std::getenv("LCM_TESTDATA")) + "/golden/expected/" + name + ".safetensors");
}

const Renderer& tiny_renderer() {
    static const Renderer renderer(Bundle::open(golden_model("lcm")));
    return renderer;
}

Record record_of(const at::Tensor& latent) {
    Record record;
    record.place = "record 0";
    record.tensors.emplace(tensor::latent, from_torch(latent));
    return record;
}

Record zero_record(at::IntArrayRef shape = {4, 2, 3}) { return record_of(at::zeros(shape)); }

/// `expected` is [H,W,3].
void check_picture(const Image& image, const at::Tensor& expected) {
    REQUIRE(image.height == expected.size(0));
    REQUIRE(image.width == expected.size(1));
    REQUIRE(image.channels == expected.size(2));
    const at::Tensor pixels = at::tensor(at::ArrayRef<std::uint8_t>(image.pixels)).to(at::kInt);
    const at::Tensor difference = (pixels - expected.to(at::kInt).reshape({-1})).abs();
    CHECK(difference.max().item<int>() <= largest_difference);
    CHECK(difference.gt(0).to(at::kDouble).mean().item<double>() <= share_of_differences);
}

void check_refused(const Record& record, std::initializer_list<std::string_view> words, ExitCode code = ExitCode::data) {
    check_error(code, words, [&] { tiny_renderer().render(record); });
}

}  // namespace

TEST_CASE("latents of whole pipelines become the reference's pictures") {
    for (const auto& [model, name] : {std::pair{"lcm", "lcm_4"}, {"lcm", "lcm_odd"}, {"lcm", "lcm_seeds3"}, {"sd15", "sd15_lcm_4"}}) {
        CAPTURE(name);
        const WeightFile file = golden_file(std::string("pipeline/") + name);
        const Renderer renderer(Bundle::open(golden_model(model)));
        const at::Tensor latents = file.view("out.latents"), images = file.view("out.images");
        for (int i = 0; i < latents.size(0); ++i) check_picture(renderer.render(record_of(latents[i])), images[i]);
    }
}

TEST_CASE("pixels are x / 2 + 0.5, clamped, times 255, rounded half to even") {
    const WeightFile file = golden_file("vae/lcm_72x40");
    const at::Tensor pixels = file.view("out.pixels")[0];
    const at::Tensor expected = at::round(at::clamp(pixels / 2 + 0.5, 0, 1) * 255).permute({1, 2, 0});
    check_picture(tiny_renderer().render(record_of(file.view("in.z")[0])), expected);
}

TEST_CASE("latents of the VAE's own space are scaled first") {
    const at::Tensor unscaled = at::full({4, 2, 3}, 0.75);
    auto record = record_of(unscaled);
    record.set(key::latent_space, "vae");
    const auto scale = Bundle::open(golden_model("lcm")).vae()->scaling_factor();
    CHECK(tiny_renderer().render(record).pixels == tiny_renderer().render(record_of(unscaled * scale)).pixels);
    record.set(key::latent_space, "other");
    check_refused(record, {"record 0", "lcm.latent_space", "other"});
}

TEST_CASE("half precision latents are read") {
    const at::Tensor latent = at::full({4, 2, 3}, 0.5);  // exact in all three types
    const auto expected = tiny_renderer().render(record_of(latent)).pixels;
    CHECK(tiny_renderer().render(record_of(latent.to(at::kHalf))).pixels == expected);
    CHECK(tiny_renderer().render(record_of(latent.to(at::kBFloat16))).pixels == expected);
    check_refused(record_of(latent.to(at::kDouble)), {"record 0: latent", "F64", "F32, F16 or BF16"});
}

TEST_CASE("what the model cannot have made is refused") {
    const auto with = [](std::string_view key, std::string value) {
        auto record = zero_record();
        record.set(key, std::move(value));
        return record;
    };
    check_refused(with(key::vae_scale, "0.13025"), {"record 0", "lcm.vae_scale is 0.13025", "0.18215", "--model"});
    check_refused(with(key::vae_scale, "x"), {"lcm.vae_scale"});
    const auto vae_sha256 = Bundle::open(golden_model("lcm")).sha256(Part::vae);
    check_refused(with(key::vae_sha256, std::string(64, '0')), {"lcm.vae_sha256", vae_sha256});
    check_refused(with(key::arch, "sdxl"), {"lcm.arch is sdxl", "sd15"});
    check_refused(with(key::layout, "HWC"), {"lcm.layout"});

    auto matching = with(key::vae_sha256, vae_sha256);
    matching.set(key::vae_scale, "0.18215");
    matching.set(key::arch, "sd15");
    matching.set(key::layout, "CHW");
    CHECK(tiny_renderer().render(matching).width == 24);
}

TEST_CASE("latents of the wrong shape, size or value are refused") {
    check_refused(zero_record({3, 2, 3}), {"record 0: latent", "[3,2,3]", "4"});
    check_refused(zero_record({4, 2}), {"[4,2]"});
    check_refused(zero_record({4, 0, 3}), {"[4,0,3]"});
    check_refused(zero_record({4, 1, 2049}), {"record 0: latent", "16392x8"}, ExitCode::refused);
    check_refused(zero_record({4, 1001, 1000}), {"8000x8008"}, ExitCode::refused);
    at::Tensor broken = at::zeros({4, 2, 3});
    broken[3][1][0] = std::numeric_limits<float>::quiet_NaN();
    check_refused(record_of(broken), {"record 0: latent", "3,1,0"});
}

TEST_CASE("a record without a latent says what to do") {
    Record record;
    record.place = "record 7";
    check_refused(record, {"record 7", "has no latent", "pipe it through lcm-denoise first"});
}

TEST_CASE("an unfinished picture shows what its last step made of it") {
    const at::Tensor noisy = at::full({4, 2, 3}, 2.0), denoised = at::full({4, 2, 3}, 0.5);
    auto record = record_of(noisy);
    record.set(key::step, "2");
    record.set(key::steps, "4");
    check_refused(record, {"record 0", "step 2 of 4", "latent.denoised", "lcm-denoise"});
    record.tensors.emplace(tensor::latent_denoised, from_torch(denoised));
    CHECK(tiny_renderer().render(record).pixels == tiny_renderer().render(record_of(denoised)).pixels);
    record.set(key::step, "4");
    CHECK(tiny_renderer().render(record).pixels == tiny_renderer().render(record_of(noisy)).pixels);
    record.set(key::step, "5");
    check_refused(record, {"lcm.step is 5"});
}
