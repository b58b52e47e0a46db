#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "lib/core/tensor/convert.h"
#include "lib/input/text/text_encoder.h"
#include "lib/render/renderer.h"
#include "lib/sampling/denoiser.h"
#include "lib/stream/keys.h"
#include "tests/gpu/on_devices.h"
#include "tests/unit/model_folders.h"

using namespace lcm;
using gpu::card, gpu::distance;

namespace {

/// Four steps carry the rounding of each further: ten times that of one.
constexpr double most_f32 = 10 * gpu::most_f32, most_bf16 = 0.1;

struct Silent : Observer {
    void on_step(int, int, int) override {}
};

/// A picture from its words to its pixels.
struct Drawn {
    Record record;
    Image image;

    at::Tensor latent() const { return to_torch(record.tensor(tensor::latent, "")); }
};

class Drawer {
public:
    Drawer(const std::string& model, at::Device device, Precision precision = Precision::f32)
        : bundle_(gpu::open(model, device, precision)), encoder_(bundle_), denoiser_(bundle_), renderer_(bundle_) {}

    Drawn draw(const DenoiseRequest& request = {}) {
        Record record;
        record.place = "record 0";
        record.set(key::prompt, "a red apple");
        encoder_.enrich(record);
        Silent silent;
        Record drawn = denoiser_.denoise(record, request, 0, silent);
        Image image = renderer_.render(drawn);
        return {std::move(drawn), std::move(image)};
    }

private:
    Bundle bundle_;
    TextEncoder encoder_;
    Denoiser denoiser_;
    Renderer renderer_;
};

int most_apart(const Image& one, const Image& other) {
    REQUIRE(one.pixels.size() == other.pixels.size());
    int most = 0;
    for (std::size_t i = 0; i < one.pixels.size(); ++i) most = std::max(most, std::abs(one.pixels[i] - other.pixels[i]));
    return most;
}

}  // namespace

TEST_CASE("a picture of the shipped model is the CPU's") {
    const Drawn here = Drawer(shipped_model(), at::kCPU).draw(), there = Drawer(shipped_model(), card()).draw();
    MESSAGE("f32: relative RMS " << distance(there.latent(), here.latent()) << ", pixels " << most_apart(there.image, here.image));
    CHECK(distance(there.latent(), here.latent()) < most_f32);
    CHECK(most_apart(there.image, here.image) <= 1);  // a number beside a half rounds the other way
    const Drawn near = Drawer(shipped_model(), card(), Precision::bf16).draw();
    const Drawn here_near = Drawer(shipped_model(), at::kCPU, Precision::bf16).draw();
    MESSAGE("bf16: relative RMS " << distance(near.latent(), here.latent()) << ", of the CPU in bf16 "
                                  << distance(here_near.latent(), here.latent()));
    CHECK(distance(near.latent(), here.latent()) < most_bf16);
    CHECK(there.record.at(key::device) == "cuda");
}

TEST_CASE("a GPU draws a picture twice with the same bytes") {
    for (const char* model : {"lcm", "sd15", "sdxl"})
        for (const Precision precision : {Precision::f32, Precision::bf16}) {
            CAPTURE(model);
            Drawer drawer(golden_model(model), card(), precision);
            const Drawn first = drawer.draw(), second = drawer.draw(), other = Drawer(golden_model(model), card(), precision).draw();
            for (const Drawn* again : {&second, &other}) {
                CHECK(at::equal(again->latent(), first.latent()));
                CHECK(again->image.pixels == first.image.pixels);
            }
        }
}

TEST_CASE("what spares work goes with a GPU") {
    DenoiseRequest request;
    request.token_merge = 0.5;
    request.reuse_deep = 2;
    request.guidance = 5.0;
    const Drawn here = Drawer(golden_model("sd15"), at::kCPU).draw(request), there = Drawer(golden_model("sd15"), card()).draw(request);
    CHECK(distance(there.latent(), here.latent()) < most_f32);
}
