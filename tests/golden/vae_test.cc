#include "lib/core/model/vae.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/exp.h>
#include <doctest/doctest.h>

#include <map>

#include "lib/core/model/tiled_decode.h"
#include "lib/core/weights/key_map.h"
#include "lib/core/weights/weight_file.h"
#include "tests/golden/golden_model.h"

using namespace lcm;

namespace {

using Opened = std::map<std::string, std::unique_ptr<VAE>>;

const VAE& open(Opened& opened, const std::string& part) {
    std::unique_ptr<VAE>& vae = opened[part];
    if (!vae) vae = golden::build(part, vae_key, make_vae);
    return *vae;
}

}  // namespace

TEST_CASE("AutoencoderKL encodes, samples and decodes") {
    Opened opened;
    golden::check_group("vae", [&](const golden::Case& one) -> golden::Results {
        const VAE& vae = open(opened, one.args().at("model").as_string());
        CHECK(vae.scaling_factor() == one.args().at("scaling_factor").as_number());
        CHECK(vae.factor() == one.args().at("downscale").as_integer());
        const Posterior posterior = vae.encode(one.input("pixels"));
        const at::Tensor sample = posterior.mean + at::exp(posterior.logvar * 0.5) * one.input("noise");
        return {{"mean", posterior.mean},
                {"logvar", posterior.logvar},
                {"latent", vae.scale(posterior.mean)},
                {"sample", vae.scale(sample)},
                {"pixels", vae.decode(one.input("z"))}};
    });
}

TEST_CASE("AutoencoderTiny encodes and decodes") {
    Opened opened;
    golden::check_group("taesd", [&](const golden::Case& one) -> golden::Results {
        const VAE& vae = open(opened, one.args().at("model").as_string());
        const Posterior posterior = vae.encode(one.input("pixels"));
        CHECK_FALSE(posterior.logvar.defined());
        return {{"latent", vae.scale(posterior.mean)}, {"pixels", vae.decode(one.input("z"))}};
    });
}

TEST_CASE("a decode in tiles is that of the reference, and that of a whole picture where it fits one tile") {
    const WeightFile reference(golden::folder() + "/../tiling/expected.safetensors");
    const auto vae = golden::build("models/sd15/vae", vae_key, make_vae);
    const at::Tensor z = reference.view("z"), expected = reference.view("tiled");
    constexpr double tolerance = 1e-4;  // of the group "vae": another kernel library in f32
    CHECK((decode_in_tiles(*vae, z, 32) - expected).abs().max().item<double>() < tolerance);
    CHECK((decode_in_tiles(*vae, z, 32) - vae->decode(z)).abs().max().item<double>() > 0.01);
    CHECK(at::equal(decode_in_tiles(*vae, z, 128), vae->decode(z)));
}
