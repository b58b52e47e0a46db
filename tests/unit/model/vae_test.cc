#include "lib/core/model/vae.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <algorithm>

#include "lib/base/core_share.h"
#include "lib/base/error.h"
#include "lib/core/tensor/threads.h"
#include "tests/unit/random_weights.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

const std::string kl = R"("block_out_channels": [8, 8], "norm_num_groups": 4,
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"])";
const std::string tiny = R"("_class_name": "AutoencoderTiny", "encoder_block_out_channels": [8, 8], "decoder_block_out_channels": [8, 8],
    "num_encoder_blocks": [1, 1], "num_decoder_blocks": [1, 1])";

/// The same weights at each call: only the scale differs.
std::unique_ptr<VAE> open(const std::string& base, const std::string& scale) {
    RandomWeights weights(at::kDouble);
    return make_vae(parse_json("{" + base + scale + "}", "config.json"), weights);
}

at::Tensor random(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }

/// Rounding of a few f64 operations, and of a network behind them that may multiply it by thousands.
bool close(const at::Tensor& a, const at::Tensor& b) { return a.sizes() == b.sizes() && at::allclose(a, b, 1e-9, 1e-9); }

}  // namespace

TEST_CASE("latents are scaled by factor, shift, mean and deviation, and decoding undoes it") {
    const at::Tensor z = random({2, 4, 3, 2});
    const at::Tensor mean = at::tensor({0.5, -1.0, 2.0, 0.0}).view({1, 4, 1, 1});
    const at::Tensor deviation = at::tensor({1.0, 2.0, 0.5, 4.0}).view({1, 4, 1, 1});
    struct Rule {
        const char* json;
        at::Tensor scaled;
    };
    const Rule rules[] = {
        {R"(, "scaling_factor": 0.25)", z * 0.25},
        {R"(, "scaling_factor": 0.25, "shift_factor": 0.5)", (z - 0.5) * 0.25},
        {R"(, "scaling_factor": 0.25, "latents_mean": [0.5, -1, 2, 0], "latents_std": [1, 2, 0.5, 4])", (z - mean) * 0.25 / deviation},
    };
    for (const std::string& base : {kl, tiny}) {
        const at::Tensor decoded = open(base, R"(, "scaling_factor": 1)")->decode(z);
        for (const Rule& rule : rules) {
            const std::unique_ptr<VAE> vae = open(base, rule.json);
            CHECK(vae->scaling_factor() == 0.25);
            CHECK(close(vae->scale(z), rule.scaled));
            CHECK(close(vae->decode(rule.scaled), decoded));
        }
    }
}

TEST_CASE("factors and shapes") {
    const std::unique_ptr<VAE> vae = open(kl, "");
    CHECK(vae->factor() == 2);
    CHECK(vae->scaling_factor() == 0.18215);
    CHECK(open(tiny, "")->scaling_factor() == 1);
    const Posterior posterior = vae->encode(random({2, 3, 6, 4}));
    CHECK(posterior.mean.sizes() == at::IntArrayRef({2, 4, 3, 2}));
    CHECK(posterior.logvar.sizes() == at::IntArrayRef({2, 4, 3, 2}));
    CHECK(vae->decode(random({1, 4, 3, 5})).sizes() == at::IntArrayRef({1, 3, 6, 10}));
}

TEST_CASE("a decode takes the cores that another tool leaves while it runs") {
    const TemporaryFolder folder;
    const int all = available_cores();
    const std::unique_ptr<VAE> vae = open(kl, "");
    ThreadBudget budget(0, folder / "share");
    CoreShare other(all, folder / "share");
    other.begin();
    budget.begin();
    CHECK(at::get_num_threads() == std::max(1, all / 2));
    other.end();
    vae->decode(random({1, 4, 3, 5}));
    CHECK(at::get_num_threads() == all);
}

TEST_CASE("pixels and latents that do not fit are refused") {
    for (const std::string& base : {kl, tiny}) {
        const std::unique_ptr<VAE> vae = open(base, "");
        CHECK_THROWS_WITH_AS(vae->encode(random({1, 4, 6, 4})), doctest::Contains("[1,4,6,4], expected [*,3,*,*]"), Error);
        CHECK_THROWS_WITH_AS(vae->encode(random({1, 3, 6, 5})), doctest::Contains("5x6 pixels"), Error);
        CHECK_THROWS_WITH_AS(vae->decode(random({1, 3, 6, 4})), doctest::Contains("[1,3,6,4], expected [*,4,*,*]"), Error);
    }
}
