#include "lib/sampling/start_image.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include <cmath>
#include <limits>

#include "tests/unit/caught_error.h"
#include "tests/unit/sampling/denoise_support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

DenoiseRequest halfway() {
    DenoiseRequest request = small(4);
    request.strength = 0.5;
    return request;
}

at::Tensor latent_of(const Record& record) { return to_torch(record.tensor(tensor::latent)).clone(); }

Record start(bool masked) {
    Record record = conditioning(Model::sd15());
    add_start_image(record, masked);
    return record;
}

}  // namespace

TEST_CASE("the start is the latent at the noise level of the first step that is kept") {
    DenoiseRequest request = halfway();
    request.to = 0;
    const Record record = denoise(Model::sd15(), start(false), request);
    CHECK(record.at(key::timesteps) == "[499,259]");
    CHECK(record.at(key::steps) == "2");
    const double alpha = alphas_cumprod({})[499];
    const at::Tensor clean = to_torch(start(false).tensor(tensor::latent_init)), noise = NoiseGenerator(77).normal({1, 4, 5, 9}).squeeze(0);
    CHECK(at::allclose(latent_of(record), clean * std::sqrt(alpha) + noise * std::sqrt(1 - alpha), 1e-5, 1e-6));
}

TEST_CASE("a full LCM shortens its schedule, unless it is told to cut") {
    Record record = conditioning(Model::lcm());
    add_start_image(record, false);
    CHECK(denoise(Model::lcm(), record, halfway()).at(key::timesteps) == "[499,379,259,139]");
    DenoiseRequest request = halfway();
    request.strength_rule = Strength::Rule::cut;
    CHECK(denoise(Model::lcm(), record, request).at(key::timesteps) == "[499,259]");
}

TEST_CASE("what the mask keeps is the latent itself, and the rest is drawn") {
    const Record done = denoise(Model::sd15(), start(true), halfway());
    const at::Tensor result = latent_of(done), clean = to_torch(start(true).tensor(tensor::latent_init));
    CHECK(at::equal(result.narrow(2, 0, 4), clean.narrow(2, 0, 4)));
    CHECK_FALSE(at::allclose(result.narrow(2, 4, 5), clean.narrow(2, 4, 5), 0.1, 0.1));
    for (const std::string_view name : {tensor::latent_init, tensor::latent_mask, tensor::noise}) CHECK_FALSE(done.tensors.contains(name));
}

TEST_CASE("a mask at full strength starts from noise alone") {
    DenoiseRequest request = small(2);
    request.to = 0;
    const Record record = denoise(Model::sd15(), start(true), request);
    CHECK(record.at(key::strength) == "1");
    CHECK(same_tensor(record.tensor(tensor::latent), from_torch(NoiseGenerator(77).normal({1, 4, 5, 9}).squeeze(0))));
    for (const std::string_view name : {tensor::latent_init, tensor::latent_mask, tensor::noise}) CHECK(record.tensors.contains(name));
}

TEST_CASE("a record that was encoded with a draw brings its generator along") {
    NoiseGenerator noise(77);
    noise.normal({1, 4, 5, 9});
    Record record = start(true);
    record.tensors.insert_or_assign(std::string(tensor::rng_state), noise.state());
    record.set(key::rng_draws, "1");
    DenoiseRequest request = small(2);
    request.to = 0;
    const Record begun = denoise(Model::sd15(), record, request);
    CHECK(same_tensor(begun.tensor(tensor::latent), from_torch(noise.normal({1, 4, 5, 9}).squeeze(0))));
    CHECK(begun.at(key::rng_draws) == "3");  // the picture under the mask took one
    request.seed = 78;
    check_error(ExitCode::data, {"rng.state", "77", "78"}, [&] { denoise(Model::sd15(), record, request); });
    record.set(key::rng_draws, "few");
    request.seed = 77;
    check_error(ExitCode::data, {"lcm.rng_draws"}, [&] { denoise(Model::sd15(), record, request); });
}

TEST_CASE("start latents and masks that do not fit are refused") {
    const auto refused = [](std::initializer_list<std::string_view> words, std::string_view name, std::vector<std::int64_t> shape,
                            double value) {
        Record record = start(true);
        record.tensors.insert_or_assign(std::string(name), from_torch(at::full(shape, value, at::TensorOptions().dtype(at::kFloat))));
        check_error(ExitCode::data, words, [&] { denoise(Model::sd15(), record, halfway()); });
    };
    refused({"record 0", "latent.init", "[3,5,9]", "[4,5,9]"}, tensor::latent_init, {3, 5, 9}, 0);
    refused({"record 0", "latent.mask", "[1,5,8]"}, tensor::latent_mask, {1, 5, 8}, 0);
    refused({"record 0", "latent.mask", "0..1"}, tensor::latent_mask, {1, 5, 9}, 2);
    refused({"record 0", "latent.init", "nan"}, tensor::latent_init, {4, 5, 9}, std::numeric_limits<double>::quiet_NaN());
}
