#include "lib/core/model/vae.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <doctest/doctest.h>

#include <map>

#include "lib/core/weights/key_map.h"
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
